# noqa: INP001 - a script, of no package
"""Makes the users of MongoDB that mongo.json names, each with the rights that it has there.

`CATCHWATER_MONGO_URL` is the address of somebody who may, `MONGO_<USER>_PASSWORD` the password of
each. Safe to run again: passwords and rights become what they are now.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from catchwater.mongo_client import DATABASE

if TYPE_CHECKING:
    from pymongo.database import Database


def main() -> None:
    rights = json.loads(Path(__file__).with_name("mongo.json").read_text())
    with MongoClient[dict[str, Any]](os.environ["CATCHWATER_MONGO_URL"]) as client:
        for user, privileges in rights.items():
            _make(client[DATABASE], user, privileges)
    print("users of MongoDB: " + ", ".join(rights))  # noqa: T201 - whoever runs it reads this


def _make(database: Database[dict[str, Any]], user: str, rights: list[dict[str, Any]]) -> None:
    privileges = [
        {"resource": {"db": DATABASE, "collection": collection}, "actions": one["actions"]}
        for one in rights
        for collection in one["collections"]
    ]
    known = database.command("rolesInfo", user)["roles"]
    verb = "updateRole" if known else "createRole"
    database.command(verb, user, privileges=privileges, roles=[])
    password = os.environ[f"MONGO_{user.upper()}_PASSWORD"]
    known = database.command("usersInfo", user)["users"]
    verb = "updateUser" if known else "createUser"
    database.command(verb, user, pwd=password, roles=[user])


if __name__ == "__main__":
    main()
