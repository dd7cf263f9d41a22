// jsforce, unmodified, against the simulated org.
//
// Usage: jsforce_session.mjs ORG.json MODULES: the first as printed by
// `syncline simulate salesforce --json`, the second the folder in which jsforce is installed. The
// same steps run over plain HTTP and over TLS; NODE_EXTRA_CA_CERTS names the org's authority.

import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

const [, , orgFile, modules] = process.argv;
const jsforce = createRequire(`${modules}/package.json`)("jsforce");
const org = JSON.parse(readFileSync(orgFile, "utf8"));
const username = "integration@example.com";
const password = "secret";
const callback = "http://localhost:1717/callback";
const version = "67.0";

async function control(method, path, body = {}) {
  const answer = await fetch(`${org.url}/__sim/${path}`, {
    method,
    body: method === "GET" ? undefined : JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

function oauth2(url, options = {}) {
  const login = { loginUrl: url, clientId: org.client_id, clientSecret: org.client_secret };
  return new jsforce.OAuth2({ ...login, ...options });
}

async function login(url, options = {}) {
  const conn = new jsforce.Connection({ oauth2: oauth2(url), version, ...options });
  await conn.authorize({ grant_type: "client_credentials" });
  return conn;
}

async function fails(promise, code) {
  const error = await promise.then(
    (value) => assert.fail(`${code} was expected, not ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.equal(error.errorCode ?? error.name, code, error.message);
  return error;
}

const steps = {
  async "login with client credentials"(url) {
    const conn = await login(url);
    assert.match(conn.userInfo.organizationId, /^00D\w{15}$/);
    assert.match(conn.userInfo.id, /^005\w{15}$/);
    const identity = await conn.identity();
    assert.equal(identity.username, username);
    assert.ok(identity.urls.query.includes("/services/data/v"));
    const wrong = new jsforce.Connection({ oauth2: oauth2(url, { clientSecret: "x" }) });
    await fails(wrong.authorize({ grant_type: "client_credentials" }), "invalid_client");
  },

  async "login with username and password"(url) {
    const conn = new jsforce.Connection({ oauth2: oauth2(url), version });
    await conn.login(username, `${password}token`);
    assert.equal((await conn.query("SELECT Id FROM User LIMIT 1")).totalSize, 1);
    await fails(conn.login(username, "wrong"), "invalid_grant");
  },

  async "login over SOAP"(url) {
    const conn = new jsforce.Connection({ loginUrl: url });
    const user = await conn.login(username, `${password}token`);
    assert.match(user.organizationId, /^00D/);
    assert.equal((await conn.query("SELECT Id FROM User LIMIT 1")).totalSize, 1);
    const wrong = new jsforce.Connection({ loginUrl: url }).login(username, "x");
    assert.match((await fails(wrong, "Error")).message, /^INVALID_LOGIN: /);
  },

  async "login with an assertion"(url) {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const certificate = publicKey.export({ type: "spki", format: "pem" });
    await control("PATCH", "app", { certificate });
    const assertion = (aud) => {
      const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const exp = Math.floor(Date.now() / 1000) + 120;
      const claims = { iss: org.client_id, sub: username, aud, exp };
      const text = `${part({ alg: "RS256" })}.${part(claims)}`;
      return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
    };
    const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const conn = new jsforce.Connection({ oauth2: oauth2(url), version });
    await conn.authorize({ grant_type, assertion: assertion("https://login.salesforce.com") });
    assert.equal((await conn.query("SELECT Id FROM User LIMIT 1")).totalSize, 1);
    const elsewhere = { grant_type, assertion: assertion("https://example.com") };
    const error = await fails(conn.authorize(elsewhere), "invalid_grant");
    assert.match(error.message, /Audience validation failed/);
  },

  async "login through a browser, with PKCE, and refresh"(url) {
    await control("PATCH", "app", { callbacks: [callback], pkce_required: true });
    const flow = oauth2(url, { redirectUri: callback, useVerifier: true });
    const address = flow.getAuthorizationUrl({ scope: "api refresh_token", state: "here" });
    assert.equal((await fetch(address)).status, 200, "the login page");
    const page = await fetch(address, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ username, password }),
    });
    assert.equal(page.status, 302);
    const back = new URL(page.headers.get("location"));
    assert.equal(back.searchParams.get("state"), "here");
    const code = back.searchParams.get("code");
    const conn = new jsforce.Connection({ oauth2: flow, version });
    await conn.authorize(code, { code_verifier: flow.codeVerifier });
    assert.ok(conn.refreshToken);
    let renewed = 0;
    conn.on("refresh", () => (renewed += 1));
    await control("POST", "tokens/expire");
    assert.equal((await conn.query("SELECT Id FROM User LIMIT 1")).totalSize, 1);
    assert.equal(renewed, 1);
    const used = new jsforce.Connection({ oauth2: flow, version });
    const verifier = { code_verifier: flow.codeVerifier };
    await fails(used.authorize(code, verifier), "invalid_grant");
    await control("PATCH", "app", { pkce_required: false });
    const { refreshToken } = conn;
    await conn.logout(true);
    await fails(flow.refreshToken(refreshToken), "invalid_grant");
  },

  async describes(url) {
    const conn = await login(url);
    const names = (await conn.describeGlobal()).sobjects.map((item) => item.name);
    assert.ok(names.includes("Account") && names.includes("Contact"));
    const contact = await conn.sobject("Contact").describe();
    const email = contact.fields.find((field) => field.name === "Email");
    assert.equal(email.type, "email");
    assert.equal(email.idLookup, true);
    const children = (await conn.describe("Account")).childRelationships;
    assert.ok(children.some((child) => child.relationshipName === "Contacts"));
    await fails(conn.describe("Nothing__c"), "NOT_FOUND");
    assert.equal((await conn.limits()).DailyApiRequests.Max > 0, true);
  },

  async "creates, reads, updates, deletes"(url) {
    const conn = await login(url);
    const contacts = conn.sobject("Contact");
    const made = await contacts.create({ LastName: "Ünit", Birthdate: "1980-02-29" });
    assert.deepEqual([made.success, made.errors, made.id.length], [true, [], 18]);
    const row = await contacts.retrieve(made.id);
    assert.equal(row.attributes.type, "Contact");
    assert.deepEqual([row.Birthdate, row.FirstName, row.VIP__c], ["1980-02-29", null, undefined]);
    assert.equal((await contacts.update({ Id: made.id, FirstName: "Eve" })).success, true);
    assert.equal((await contacts.retrieve(made.id)).Name, "Eve Ünit");
    await fails(contacts.create({ FirstName: "only" }), "REQUIRED_FIELD_MISSING");
    await fails(contacts.create({ LastName: "x", Nothing: 1 }), "INVALID_FIELD");
    assert.equal((await contacts.destroy(made.id)).success, true);
    await fails(contacts.retrieve(made.id), "NOT_FOUND");
    await fails(contacts.update({ Id: made.id, FirstName: "x" }), "ENTITY_IS_DELETED");
  },

  async "writes and reads many"(url) {
    const conn = await login(url);
    const accounts = conn.sobject("Account");
    const records = Array.from({ length: 250 }, (_, at) => ({ Name: `Bulky ${at}` }));
    const made = await accounts.create(records, { allowRecursive: true });
    assert.equal(made.filter((one) => one.success).length, 250);
    const ids = made.map((one) => one.id);
    assert.equal((await accounts.retrieve(ids.slice(0, 200))).length, 200);
    const changes = ids.slice(0, 3).map((Id, at) => ({ Id, Name: at === 1 ? null : "Renamed" }));
    const changed = await accounts.update(changes);
    assert.deepEqual(changed.map((one) => one.success), [true, false, true]);
    assert.equal(changed[1].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
    const all = await accounts.update(changes, { allOrNone: true });
    assert.equal(all[0].errors[0].statusCode, "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    const gone = await accounts.destroy(ids, { allowRecursive: true });
    assert.equal(gone.filter((one) => one.success).length, 250);
  },

  async upserts(url) {
    const conn = await login(url);
    const accounts = conn.sobject("Account");
    const key = `js ${url.split(":")[0]}`;
    const first = await accounts.upsert({ Syncline_Id__c: key, Name: "One" }, "Syncline_Id__c");
    assert.deepEqual([first.success, first.created], [true, true]);
    const second = await accounts.upsert({ Syncline_Id__c: key, Name: "Two" }, "Syncline_Id__c");
    assert.deepEqual([second.success, second.created, second.id], [true, false, first.id]);
    const twin = `twin ${key}`;
    for (const Name of ["A", "B"]) await accounts.create({ Name, Legacy_Key__c: twin });
    const doubled = accounts.upsert({ Legacy_Key__c: twin, Name: "x" }, "Legacy_Key__c");
    await fails(doubled, "MULTIPLE_CHOICES");
    const records = [
      { Syncline_Id__c: key, Name: "Three" },
      { Syncline_Id__c: `${key} new`, Name: "New" },
    ];
    const both = await accounts.upsert(records, "Syncline_Id__c");
    assert.deepEqual(both.map((one) => one.created), [false, true]);
    const old = await login(url, { version: "45.0" });
    const third = await old
      .sobject("Account")
      .upsert({ Syncline_Id__c: key, Name: "Old" }, "Syncline_Id__c");
    assert.equal(third.success, true);
    assert.equal((await accounts.findOne({ Syncline_Id__c: key })).Name, "Old");
  },

  async "pages through queries"(url) {
    const conn = await login(url);
    const account = (await conn.sobject("Account").create({ Name: "Paged" })).id;
    const records = Array.from({ length: 4321 }, (_, at) => ({
      LastName: `J${String(at).padStart(4, "0")}`,
      AccountId: account,
    }));
    await control("POST", "seed", { object: "Contact", records });
    const statement = `SELECT LastName FROM Contact WHERE AccountId = '${account}'`;
    const first = await conn.query(`${statement} ORDER BY LastName`);
    assert.deepEqual([first.totalSize, first.done, first.records.length], [4321, false, 2000]);
    const next = await conn.queryMore(first.nextRecordsUrl);
    assert.equal(next.records[0].LastName, "J2000");
    const all = await conn.query(`${statement} ORDER BY LastName`, {
      autoFetch: true,
      maxFetch: 10000,
    });
    assert.equal(all.records.length, 4321);
    assert.equal(all.records[4320].LastName, "J4320");
    const found = await conn
      .sobject("Contact")
      .find({ AccountId: account, LastName: { $like: "J000%" } }, ["Id", "Account.Name"])
      .sort({ LastName: -1 })
      .limit(5);
    assert.deepEqual([found.length, found[0].Account.Name], [5, "Paged"]);
    const nested = await conn
      .sobject("Account")
      .find({ Id: account }, ["Name"])
      .include("Contacts")
      .select(["LastName"])
      .limit(2)
      .end();
    assert.equal(nested[0].Contacts.records.length, 2);
    await fails(conn.query("SELECT Id FROM XYZZY"), "INVALID_TYPE");
    await fails(conn.query("SELECT Id FRO Account"), "MALFORMED_QUERY");
    await fails(conn.queryMore("0r8000000000000AAA-2000"), "INVALID_QUERY_LOCATOR");
  },

  async "sees what changed and what went"(url) {
    const conn = await login(url);
    const contacts = conn.sobject("Contact");
    const made = await contacts.create({ LastName: "Seen" });
    await contacts.destroy(made.id);
    const kept = await contacts.create({ LastName: "Kept" });
    const start = new Date(Date.now() - 3600_000);
    const end = new Date(Date.now() + 300_000);
    assert.ok((await contacts.updated(start, end)).ids.includes(kept.id));
    const deleted = (await contacts.deleted(start, end)).deletedRecords.map((one) => one.id);
    assert.ok(deleted.includes(made.id));
    const bin = await conn.query(`SELECT IsDeleted FROM Contact WHERE Id = '${made.id}'`, {
      scanAll: true,
    });
    assert.equal(bin.records[0].IsDeleted, true);
  },

  async "merges and empties the bin over SOAP"(url) {
    const conn = await login(url);
    const accounts = conn.sobject("Account");
    const names = ["Kept", "Lost <&>", "Third"];
    const made = await Promise.all(names.map((Name) => accounts.create({ Name, Phone: "1" })));
    const [kept, lost, third] = made.map((one) => one.id);
    const child = await conn.sobject("Contact").create({ LastName: "C", AccountId: lost });
    const merged = await conn.soap.merge({
      masterRecord: { type: "Account", Id: kept, Name: "Kept <&> more", fieldsToNull: "Phone" },
      recordToMergeIds: [lost, third],
    });
    assert.deepEqual([merged.success, merged.id, merged.errors], [true, kept, []]);
    assert.deepEqual(merged.mergedRecordIds, [lost, third]);
    assert.deepEqual(merged.updatedRelatedIds, [child.id]);
    const row = await accounts.retrieve(kept);
    assert.deepEqual([row.Name, row.Phone], ["Kept <&> more", null]);
    assert.equal((await conn.sobject("Contact").retrieve(child.id)).AccountId, kept);
    const statement = `SELECT Id FROM Account WHERE MasterRecordId = '${kept}'`;
    assert.equal((await conn.query(statement, { scanAll: true })).totalSize, 2);
    const refused = await conn.soap.merge([
      { masterRecord: { type: "Account", Id: kept }, recordToMergeIds: [kept] },
    ]);
    assert.deepEqual([refused[0].success, refused[0].errors[0].statusCode], [
      false,
      "INVALID_OPERATION",
    ]);
    const emptied = await conn.soap.emptyRecycleBin([lost, child.id]);
    assert.deepEqual(emptied.map((one) => one.success), [true, false]);
    assert.equal((await conn.query(statement, { scanAll: true })).totalSize, 1);
    const gone = await conn.soap.delete([kept, "001000000000099AAA"]);
    assert.deepEqual(gone.map((one) => one.success), [true, false]);
    const back = await conn.soap.undelete([kept, lost]);
    assert.deepEqual(back.map((one) => one.success), [true, false]);
    assert.equal((await accounts.retrieve(kept)).Name, "Kept <&> more");
    const { timestamp } = await conn.soap.getServerTimestamp();
    assert.ok(Math.abs(new Date(timestamp) - Date.now()) < 300_000, timestamp);
    assert.equal((await conn.soap.getUserInfo()).userName, username);
  },

  async "reads the history of tracked fields"(url) {
    const conn = await login(url);
    await control("POST", "schema/Account/history", { fields: ["Phone", "OwnerId"] });
    const { id } = await conn.sobject("Account").create({ Name: "Tracked" });
    await conn.sobject("Account").update({ Id: id, Phone: "7", Fax: "8" });
    const noted = await conn
      .sobject("AccountHistory")
      .find({ AccountId: id }, ["Field", "OldValue", "NewValue", "CreatedBy.Name"])
      .sort("Id");
    assert.deepEqual(noted.map((one) => [one.Field, one.OldValue, one.NewValue]), [
      ["created", null, null],
      ["Phone", null, "7"],
    ]);
    assert.equal(noted[1].CreatedBy.Name, "integration");
    const written = conn.sobject("AccountHistory").create({ AccountId: id });
    await fails(written, "INSUFFICIENT_ACCESS_OR_READONLY");
  },

  async "takes and sends packed bodies"(url) {
    const conn = await login(url);
    const headers = { authorization: `Bearer ${conn.accessToken}` };
    const address = `${conn.instanceUrl}/services/data/v${version}/sobjects/Account`;
    const described = await fetch(`${address}/describe`, { headers });
    assert.equal(described.headers.get("content-encoding"), "gzip");
    assert.equal((await described.json()).name, "Account");
    const packed = { ...headers, "content-type": "application/json", "content-encoding": "gzip" };
    const body = gzipSync(JSON.stringify({ Name: "Packed" }));
    const made = await fetch(address, { method: "POST", headers: packed, body });
    assert.equal(made.status, 201);
    assert.equal((await conn.sobject("Account").retrieve((await made.json()).id)).Name, "Packed");
  },

  async "runs composites"(url) {
    const conn = await login(url);
    const data = `/services/data/v${version}`;
    const part = (referenceId, object, body) => ({
      method: "POST",
      url: `${data}/sobjects/${object}`,
      referenceId,
      body,
    });
    const compositeRequest = [
      part("a", "Account", { Name: "Composed" }),
      part("c", "Contact", { LastName: "Child", AccountId: "@{a.id}" }),
    ];
    const post = (path, body) => conn.requestPost(`${data}/${path}`, body);
    const made = await post("composite", { allOrNone: true, compositeRequest });
    const statuses = made.compositeResponse.map((one) => one.httpStatusCode);
    assert.deepEqual(statuses, [201, 201]);
    const account = made.compositeResponse[0].body.id;
    const stale = {
      method: "PATCH",
      url: `${data}/sobjects/Account/${account}`,
      referenceId: "p",
      httpHeaders: { "If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT" },
      body: { Name: "Late" },
    };
    const guarded = await post("composite", { compositeRequest: [stale] });
    assert.equal(guarded.compositeResponse[0].httpStatusCode, 412);
    const graphs = [
      { graphId: "good", compositeRequest },
      { graphId: "bad", compositeRequest: [part("x", "Contact", {})] },
    ];
    const graph = await post("composite/graph", { graphs });
    assert.deepEqual(graph.graphs.map((one) => one.isSuccessful), [true, false]);
    const batchRequests = [
      { method: "PATCH", url: `v${version}/sobjects/Account/${account}`, richInput: { Name: "B" } },
      { method: "GET", url: `v${version}/limits` },
    ];
    const batch = await post("composite/batch", { batchRequests });
    assert.deepEqual(batch.results.map((one) => one.statusCode), [204, 200]);
    const records = [{ attributes: { type: "Account", referenceId: "r1" } }];
    await fails(post("composite/tree/Account", { records }), "ERROR_HTTP_400");
    records[0].Name = "Rooted";
    assert.equal((await post("composite/tree/Account", { records })).hasErrors, false);
  },

  async "runs bulk jobs"(url) {
    const conn = await login(url);
    conn.bulk2.pollInterval = 50;
    conn.bulk2.pollTimeout = 20000;
    const Title = `bulk ${url.split(":")[0]}`;
    const input = Array.from({ length: 450 }, (_, at) => ({ LastName: `B, ${at}`, Title }));
    const done = await conn.bulk2.loadAndWaitForResults({
      object: "Contact",
      operation: "insert",
      input: [...input, { LastName: "", Title }],
    });
    assert.deepEqual([done.successfulResults.length, done.failedResults.length], [450, 1]);
    assert.match(done.failedResults[0].sf__Error, /^REQUIRED_FIELD_MISSING:/);
    assert.equal(done.unprocessedRecords.length, 0);
    const statement = `SELECT LastName FROM Contact WHERE Title = '${Title}'`;
    const rows = await (await conn.bulk2.query(statement)).toArray();
    assert.equal(rows.length, 450);
    assert.match(rows[0].LastName, /^B, \d+$/);
    const gone = await conn.bulk2.loadAndWaitForResults({
      object: "Contact",
      operation: "delete",
      input: done.successfulResults.map((one) => ({ Id: one.sf__Id })),
    });
    assert.equal(gone.successfulResults.length, 450);
  },

  async "tells of refusals and limits"(url) {
    const conn = await login(url);
    await conn.limits();
    const { used } = conn.limitInfo.apiUsage;
    await conn.limits();
    assert.equal(conn.limitInfo.apiUsage.used, used + 1);
    try {
      await control("POST", "limits", { max: 15000, used: 15000 });
      await fails(conn.query("SELECT Id FROM User"), "REQUEST_LIMIT_EXCEEDED");
    } finally {
      await control("POST", "limits", { max: 1000000, used: 0 });
    }
    const html = { status: 404, html: true, message: "lost" };
    const fault = { on: { kind: "query" }, action: { type: "fail", ...html } };
    await control("POST", "faults", fault);
    const error = await conn.query("SELECT Id FROM User").catch((error) => error);
    assert.equal(error.errorCode ?? error.name, "ERROR_HTTP_404");
  },
};

let passed = 0;
for (const url of [org.url, org.secure_url]) {
  for (const [name, step] of Object.entries(steps)) {
    await step(url);
    passed += 1;
    console.log(`  jsforce, ${url.split(":")[0]}: ${name}`);
  }
}
console.log(`jsforce: ${passed} steps passed`);
