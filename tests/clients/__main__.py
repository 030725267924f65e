"""`python -m tests.clients`: fetches the clients that the tests of each run use."""

from tests.clients import sdks, uploading

if __name__ == "__main__":
    print("upload clients of the tests:", uploading.modules_of(uploading.FEW))
    for name in sdks.FEW_SDKS:
        print(f"{name} of the tests:", sdks.modules_of(sdks.SDKS[name]))
