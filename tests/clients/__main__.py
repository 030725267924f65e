"""`python -m tests.clients`: fetches the clients that the tests of each run use."""

from tests.clients import apps, sdks, uploading

if __name__ == "__main__":
    print("upload clients of the tests:", uploading.modules_of(uploading.FEW))
    for sdk in sdks.FEW_SDKS:
        print(f"{sdk}:", sdks.modules_of(sdks.SDKS[sdk]))
    for app in apps.FEW_APPS:
        print(f"the app {app}:", apps.modules_of(apps.APPS[app]))
