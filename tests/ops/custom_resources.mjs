// Checks objects that KEDA and the Prometheus operator define: a JSON array at standard input, a line
// for each that is wrong. Argument: node_modules.
import { readFileSync } from 'node:fs'

const from = (path) => import(`${process.argv[2]}/@kubernetes-models/${path}`)
const known = {
  ...(await from('keda/keda.sh/v1alpha1/ScaledObject.js')),
  ...(await from('prometheus-operator/monitoring.coreos.com/v1/PodMonitor.js')),
}
for (const one of JSON.parse(readFileSync(0))) {
  try {
    new known[one.kind](one).validate()
  } catch (error) {
    console.log(`${one.kind} ${one.metadata.name}: ${error.message}`)
  }
}
