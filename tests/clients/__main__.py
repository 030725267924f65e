"""`python -m tests.clients`: fetches the clients that the tests of each run use."""

from tests.clients.uploading import FEW, modules_of

if __name__ == "__main__":
    print("upload clients of the tests:", modules_of(FEW))
