"""simple-salesforce, unmodified, against the simulated org.

The client's login hosts are fixed (`https://{domain}.salesforce.com`) and it speaks https only.
So the session is given a transport that leads those hosts to the simulator's port, over TLS with
the simulator's own authority; nothing of the client is replaced.

Usage: simple_salesforce_session.py ORG.json AUTHORITY.pem, the first as printed by
`syncline simulate salesforce --json`.
"""

import gzip
import json
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit, urlunsplit

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce import (
    Salesforce,
    SalesforceAuthenticationFailed,
    SalesforceLogin,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
    format_soql,
)
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceRefusedRequest

with open(sys.argv[1], encoding="utf-8") as file:
    ORG = json.load(file)
AUTHORITY = sys.argv[2]
SECURE = urlsplit(ORG["secure_url"])
USER, PASSWORD, TOKEN = "integration@example.com", "secret", "token"
STEPS = []


def step(function):
    """Runs in the order of definition."""
    STEPS.append(function)
    return function


class ToTheSimulator(HTTPAdapter):
    """Leads Salesforce's hosts to the simulator, as a name server and a router would."""

    def send(self, request, **options):
        parts = urlsplit(request.url)
        if parts.hostname.endswith(".salesforce.com"):
            request.headers["Host"] = parts.netloc
            request.url = urlunsplit(parts._replace(netloc=SECURE.netloc))
        return super().send(request, **options)


def transport():
    session = requests.Session()
    session.trust_env = False
    session.verify = AUTHORITY
    session.mount("https://", ToTheSimulator())
    return session


def login(**options):
    return Salesforce(
        session=transport(),
        consumer_key=ORG["client_id"],
        consumer_secret=ORG["client_secret"],
        domain="acme.my",
        **options,
    )


def control(method, path, body=None):
    answer = requests.Session().request(method, f"{ORG['url']}/__sim/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def raises(kind, function, *arguments, **options):
    try:
        made = function(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected, not {made!r}")


@step
def login_with_client_credentials():
    sf = login()
    assert sf.sf_instance == "acme.my.salesforce.com", sf.sf_instance
    assert sf.query("SELECT COUNT() FROM User")["totalSize"] > 0


@step
def login_with_username_and_password():
    sf = login(username=USER, password=PASSWORD + TOKEN)
    assert sf.query("SELECT Id FROM User LIMIT 1")["done"] is True
    error = raises(SalesforceAuthenticationFailed, login, username=USER, password="wrong")
    assert error.code == "invalid_grant", error.code


@step
def login_with_an_assertion():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    control("PATCH", "app", {"certificate": public.decode()})
    options = {"session": transport(), "username": USER, "consumer_key": ORG["client_id"]}
    sf = Salesforce(privatekey=private.decode(), **options)
    assert sf.limits()["DailyApiRequests"]["Max"] > 0
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    error = raises(
        SalesforceAuthenticationFailed, Salesforce, privatekey=other.decode(), **options
    )
    assert error.code == "invalid_grant", error.code


@step
def login_over_soap():
    options = {"session": transport(), "username": USER, "password": PASSWORD}
    sf = Salesforce(security_token=TOKEN, **options)
    assert sf.query("SELECT Id FROM User LIMIT 1")["totalSize"] == 1
    error = raises(SalesforceAuthenticationFailed, Salesforce, security_token="x", **options)
    assert error.code == "INVALID_LOGIN", error.code
    session, host = SalesforceLogin(
        username=USER, password=PASSWORD, security_token=TOKEN, scratch_url=ORG["url"]
    )
    assert "!" in session and host == urlsplit(ORG["url"]).netloc


@step
def login_with_a_session():
    sf = Salesforce(
        session_id=login().session_id, instance_url=ORG["secure_url"], session=transport()
    )
    assert sf.sf_instance == SECURE.netloc
    assert sf.query("SELECT Id FROM User LIMIT 1")["totalSize"] == 1


@step
def describes():
    sf = login()
    everything = sf.describe()
    names = [item["name"] for item in everything["sobjects"]]
    assert {"Account", "Contact", "User"} <= set(names), names
    account = sf.Account.describe()
    fields = {field["name"]: field for field in account["fields"]}
    assert fields["Name"]["nillable"] is False and fields["Name"]["length"] == 255
    assert fields["Syncline_Id__c"]["externalId"] and fields["Syncline_Id__c"]["unique"]
    assert sf.Account.metadata()["objectDescribe"]["keyPrefix"] == "001"
    assert sf.is_sandbox() is False
    raises(SalesforceResourceNotFound, sf.Nothing__c.describe)


@step
def creates_reads_updates_deletes():
    sf = login()
    made = sf.Contact.create({"LastName": "Ümläut", "Email": "A@Example.com"})
    assert made["success"] is True and made["errors"] == [] and len(made["id"]) == 18
    row = sf.Contact.get(made["id"])
    assert row["attributes"]["type"] == "Contact" and row["LastName"] == "Ümläut"
    assert row["FirstName"] is None and row["Email"] == "a@example.com"
    assert sf.Contact.update(made["id"], {"FirstName": "Ada"}) == 204
    assert sf.Contact.get(made["id"])["Name"] == "Ada Ümläut"
    now = datetime.now(timezone.utc)
    span = (now - timedelta(hours=1), now + timedelta(minutes=5))
    assert made["id"] in sf.Contact.updated(*span)["ids"]
    assert sf.Contact.delete(made["id"]) == 204
    deleted = [one["id"] for one in sf.Contact.deleted(*span)["deletedRecords"]]
    assert made["id"] in deleted
    error = raises(SalesforceResourceNotFound, sf.Contact.get, made["id"])
    assert error.content[0]["errorCode"] == "NOT_FOUND"
    error = raises(SalesforceResourceNotFound, sf.Contact.delete, made["id"])
    assert error.content[0]["errorCode"] == "ENTITY_IS_DELETED"


@step
def refuses_bad_records():
    sf = login()
    for body, code in [
        ({"FirstName": "only"}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "x", "Nothing__c": 1}, "INVALID_FIELD"),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG"),
        ({"LastName": "x", "Email": "no"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": "x", "Tier__c": "Tin"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"LastName": "x", "Birthdate": "soon"}, "JSON_PARSER_ERROR"),
        ({"LastName": "x", "AccountId": "005000000000001"}, "FIELD_INTEGRITY_EXCEPTION"),
    ]:
        error = raises(SalesforceMalformedRequest, sf.Contact.create, body)
        assert error.content[0]["errorCode"] == code, error.content


@step
def upserts():
    sf = login()
    answer = sf.Account.upsert("Syncline_Id__c/py-1%2F2", {"Name": "One"}, raw_response=True)
    assert answer.status_code == 201 and answer.json()["created"] is True
    answer = sf.Account.upsert("Syncline_Id__c/py-1%2F2", {"Name": "Two"}, raw_response=True)
    assert answer.status_code == 200 and answer.json()["created"] is False
    assert sf.Account.get_by_custom_id("Syncline_Id__c", "py-1/2")["Name"] == "Two"
    sf.Account.upsert("Syncline_Id__c/py%20blank", {"Name": "Blank"})
    # The client writes the blank as a plus sign, which is one in a path (its issue 801).
    raises(SalesforceResourceNotFound, sf.Account.get_by_custom_id, "Syncline_Id__c", "py blank")
    older = login(version="45.0")
    assert older.Account.upsert("Syncline_Id__c/py-1%2F2", {"Name": "Three"}) == 204
    for number in range(2):
        sf.Account.create({"Name": f"Twin {number}", "Legacy_Key__c": "twin"})
    error = raises(
        SalesforceMoreThanOneRecord, sf.Account.upsert, "Legacy_Key__c/twin", {"Name": "x"}
    )
    assert len(error.content) == 2 and "/sobjects/Account/001" in error.content[0]
    error = raises(
        SalesforceMalformedRequest,
        sf.Account.create,
        {"Name": "Again", "Syncline_Id__c": "PY-1/2"},
    )
    assert error.content[0]["errorCode"] == "DUPLICATE_VALUE"


@step
def pages_through_queries():
    sf = login()
    account = sf.Account.create({"Name": "Paged", "Website": "http://paged.example"})["id"]
    bodies = [{"LastName": f"P{at:04}", "AccountId": account} for at in range(4321)]
    control("POST", "seed", {"object": "Contact", "records": bodies})
    statement = format_soql(
        "SELECT LastName, Account.Name FROM Contact WHERE AccountId = {} ORDER BY LastName", account
    )
    first = sf.query(statement)
    assert first["totalSize"] == 4321 and first["done"] is False
    assert len(first["records"]) == 2000
    assert first["records"][0]["Account"]["Name"] == "Paged"
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    again = sf.query_more(first["nextRecordsUrl"].rsplit("/", 1)[1])
    assert second["records"] == again["records"]
    names = [row["LastName"] for row in sf.query_all(statement)["records"]]
    assert names == [f"P{at:04}" for at in range(4321)]
    assert sum(1 for _ in sf.query_all_iter(statement)) == 4321
    nested = sf.query(
        format_soql(
            "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 3) FROM Account "
            "WHERE Website = {}",
            "http://paged.example",
        )
    )["records"][0]
    assert nested["Contacts"]["totalSize"] == 3
    sf.Contact.create({"LastName": "Alone"})
    assert sf.query("SELECT Account.Name FROM Contact WHERE LastName = 'Alone'")["records"][0][
        "Account"
    ] is None
    group = sf.query("SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId")["records"]
    assert {row["n"] for row in group} >= {4321}


@step
def refuses_bad_queries():
    sf = login()
    for statement, code in [
        ("SELECT Id FROM XYZZY", "INVALID_TYPE"),
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("SELEC Id FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
    ]:
        error = raises(SalesforceMalformedRequest, sf.query, statement)
        assert error.content[0]["errorCode"] == code, error.content
    locator = "0r8000000000000AAA-2000"
    error = raises(SalesforceMalformedRequest, sf.query_more, locator)
    assert error.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@step
def sees_the_recycle_bin():
    sf = login()
    made = sf.Account.create({"Name": "Binned"})["id"]
    sf.Account.delete(made)
    statement = format_soql("SELECT Id, IsDeleted FROM Account WHERE Id = {}", made)
    assert sf.query(statement)["totalSize"] == 0
    assert sf.query(statement, include_deleted=True)["records"][0]["IsDeleted"] is True


@step
def speaks_packed_bodies():
    sf = login()
    answer = sf._call_salesforce("GET", sf.base_url + "sobjects/Account/describe")
    assert answer.headers["Content-Encoding"] == "gzip", answer.headers
    assert answer.json()["name"] == "Account"
    body = gzip.compress(json.dumps({"Name": "Packed"}).encode())
    headers = {**sf.headers, "Content-Encoding": "gzip"}
    made = sf.session.post(sf.base_url + "sobjects/Account", data=body, headers=headers)
    assert made.status_code == 201, made.text
    assert sf.Account.get(made.json()["id"])["Name"] == "Packed"


@step
def reads_the_history_of_tracked_fields():
    sf = login()
    control("POST", "schema/Contact/history", {"fields": ["Title", "Description"]})
    made = sf.Contact.create({"LastName": "Tracked", "Title": "Dr."})["id"]
    sf.Contact.update(made, {"Title": "Prof.", "Description": "long"})
    statement = "SELECT Field, OldValue, NewValue FROM ContactHistory WHERE ContactId = {}"
    rows = sf.query(format_soql(statement + " ORDER BY Field", made))["records"]
    assert [(row["Field"], row["OldValue"], row["NewValue"]) for row in rows] == [
        ("created", None, None),
        ("Description", None, None),
        ("Title", "Dr.", "Prof."),
    ], rows


@step
def writes_collections():
    sf = login()
    records = [
        {"attributes": {"type": "Account"}, "Name": "Many"},
        {"attributes": {"type": "Account"}},
    ]
    body = {"allOrNone": False, "records": records}
    good, bad = sf.restful("composite/sobjects", method="POST", json=body)
    assert good["success"] is True and bad["success"] is False
    assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING" and "id" not in bad
    body["allOrNone"] = True
    innocent, culprit = sf.restful("composite/sobjects", method="POST", json=body)
    assert innocent["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert culprit["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    change = {"records": [{"attributes": {"type": "Account"}, "id": good["id"], "Name": "More"}]}
    assert sf.restful("composite/sobjects", method="PATCH", json=change)[0]["success"] is True
    upsert = {"records": [{"attributes": {"type": "Account"}, "Syncline_Id__c": "c1", "Name": "U"}]}
    made = sf.restful("composite/sobjects/Account/Syncline_Id__c", method="PATCH", json=upsert)
    assert made[0]["created"] is True
    ask = {"ids": [good["id"], "001000000000099AAA"], "fields": ["Name"]}
    rows = sf.restful("composite/sobjects/Account", method="POST", json=ask)
    assert rows[0]["Name"] == "More" and rows[1] is None
    ids = ",".join([good["id"], made[0]["id"]])
    gone = sf.restful("composite/sobjects", {"ids": ids, "allOrNone": "false"}, method="DELETE")
    assert [one["success"] for one in gone] == [True, True]


@step
def runs_composites():
    sf = login()
    data = f"/services/data/v{sf.sf_version}/sobjects"
    parts = [
        {
            "method": "POST",
            "url": f"{data}/Account",
            "referenceId": "a",
            "body": {"Name": "Composed"},
        },
        {
            "method": "POST",
            "url": f"{data}/Contact",
            "referenceId": "c",
            "body": {"LastName": "Child", "AccountId": "@{a.id}"},
        },
        {"method": "GET", "url": f"{data}/Account/@{{a.id}}?fields=Name", "referenceId": "g"},
    ]
    made = sf.restful("composite", method="POST", json={"compositeRequest": parts})
    parts_made = made["compositeResponse"]
    assert [one["httpStatusCode"] for one in parts_made] == [201, 201, 200]
    assert parts_made[2]["body"]["Name"] == "Composed"
    parts[1]["body"] = {"FirstName": "nameless"}
    body = {"allOrNone": True, "compositeRequest": parts}
    made = sf.restful("composite", method="POST", json=body)["compositeResponse"]
    assert [one["httpStatusCode"] for one in made] == [400, 400, 400]
    assert made[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert made[1]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    batch = [
        {"method": "POST", "url": "v59.0/sobjects/Account", "richInput": {"Name": "Batched"}},
        {"method": "GET", "url": "v59.0/sobjects/Account/001000000000099AAA"},
    ]
    made = sf.restful("composite/batch", method="POST", json={"batchRequests": batch})
    assert made["hasErrors"] is True
    assert [one["statusCode"] for one in made["results"]] == [201, 404]
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "r1"},
                "Name": "Rooted",
                "Contacts": {
                    "records": [
                        {
                            "attributes": {"type": "Contact", "referenceId": "r2"},
                            "LastName": "Leaf",
                        }
                    ]
                },
            }
        ]
    }
    made = sf.restful("composite/tree/Account", method="POST", json=tree)
    assert made["hasErrors"] is False and len(made["results"]) == 2
    graphs = [
        {"graphId": "1", "compositeRequest": parts[:1]},
        {"graphId": "2", "compositeRequest": parts},
    ]
    made = sf.restful("composite/graph", method="POST", json={"graphs": graphs})["graphs"]
    assert [one["isSuccessful"] for one in made] == [True, False]


@step
def runs_bulk_jobs():
    sf = login()
    records = [{"LastName": f"B{at}", "Title": "bulk, \"quoted\""} for at in range(450)]
    done = sf.bulk2.Contact.insert(records=records + [{"LastName": "", "Title": "nameless"}])
    assert sum(int(one["numberRecordsProcessed"]) for one in done) == 451, done
    assert sum(int(one["numberRecordsFailed"]) for one in done) == 1, done
    job = done[0]["job_id"]
    assert "REQUIRED_FIELD_MISSING" in sf.bulk2.Contact.get_failed_records(job)
    assert sf.bulk2.Contact.get_successful_records(job).count("\n") >= 450
    sf.bulk2.Contact.get_unprocessed_records(job)
    statement = "SELECT Id, LastName, Title FROM Contact WHERE Title LIKE 'bulk%'"
    pages = list(sf.bulk2.Contact.query(statement, max_records=200))
    assert [page.count("\n") - 1 for page in pages] == [200, 200, 50], [len(p) for p in pages]
    assert '"bulk, ""quoted"""' in pages[0]


@step
def is_refused_the_first_bulk():
    sf = login()
    records = [{"LastName": "B"}]
    error = raises(SalesforceMalformedRequest, sf.bulk.Contact.insert, records)
    assert error.content["exceptionCode"] == "FeatureNotEnabled", error.content


@step
def renews_an_ended_session():
    sf = login()
    control("POST", "tokens/expire", {})
    assert sf.query("SELECT Id FROM User LIMIT 1")["totalSize"] == 1, "it logs in again by itself"
    bare = Salesforce(
        session_id=sf.session_id, instance_url=ORG["secure_url"], session=transport()
    )
    control("POST", "tokens/expire", {})
    error = raises(SalesforceExpiredSession, bare.query, "SELECT Id FROM User LIMIT 1")
    assert error.content[0]["errorCode"] == "INVALID_SESSION_ID"


@step
def counts_and_limits_calls():
    sf = login()
    sf.limits()
    before = sf.api_usage["api-usage"]
    sf.limits()
    after = sf.api_usage["api-usage"]
    assert after.used == before.used + 1 and after.total == before.total
    try:
        control("POST", "limits", {"max": 15000, "used": 15000})
        error = raises(SalesforceRefusedRequest, sf.query, "SELECT Id FROM User")
        assert error.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    finally:
        control("POST", "limits", {"max": 1000000, "used": 0})


if __name__ == "__main__":
    for function in STEPS:
        function()
        print(f"  simple-salesforce: {function.__name__.replace('_', ' ')}")
    print(f"simple-salesforce: {len(STEPS)} steps passed")
