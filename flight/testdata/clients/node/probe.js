// What @lakehouse-rs/flight-sql-client can do: an outcome a line for each capability of
// docs/clients.md. The argument is the JSON of matrix.py.

const fs = require("node:fs");
const path = require("node:path");
const { createFlightSqlClient } = require("@lakehouse-rs/flight-sql-client");
const arrow = require("apache-arrow");

const env = JSON.parse(process.argv[2]);
const LARGE = "SELECT id, repeat('x', 200) AS s FROM range(300000)";
const TYPES = ["true", "1Y", "2S", "3", "4L", "1.5F", "2.5D", "1.25BD", "'ü'", "X'6162'", "DATE '2024-02-29'", "TIMESTAMP '2024-02-29 01:02:03'",
  "TIMESTAMP_NTZ '2024-02-29 01:02:03'", "array(1, 2)", "named_struct('a', 1)", "map('k', 1)", "INTERVAL '1' DAY"];
let client;

function tell(capability, outcome, reason = "") {
  console.log(JSON.stringify({ client: "Node", capability, outcome, reason: reason.split("\n")[0] }));
}

async function check(capability, f) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("it does not answer")), 30_000)));
  try {
    await Promise.race([f(), late]);
    tell(capability, "yes");
  } catch (e) {
    tell(capability, "no", String(e));
  } finally {
    clearTimeout(timer);
  }
}

function notApplicable(reason, ...capabilities) {
  for (const c of capabilities) tell(c, "n/a", reason);
}

function want(got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`got ${JSON.stringify(got)}, want ${JSON.stringify(wanted)}`);
}

function connect(server, more = {}) {
  const [host, port] = env[server].split(":");
  return createFlightSqlClient({ headers: [], tls: false, host, port: Number(port), ...more });
}

const name = (what) => `${env.prefix}_${what}`;
const table = async (text, c = client) => arrow.tableFromIPC(await c.query(text));
const plain = (v) => (typeof v === "bigint" ? Number(v) : v);
const rows = async (text, c) => (await table(text, c)).toArray().map((r) => Object.values(r.toJSON()).map(plain));

async function one(opened) {
  want(await rows("SELECT 1 AS a", await opened), [[1]]);
}

/** Puts rows where the streaming queries read. */
function add(count) {
  const file = String(process.hrtime.bigint() + BigInt(Date.now()) * 1_000_000n).padStart(20, "0");
  const part = path.join(env.folder, "." + file);
  fs.writeFileSync(part, '{"n":1}\n'.repeat(count));
  fs.renameSync(part, path.join(env.folder, file + ".json"));
}

async function until(f) {
  for (const end = Date.now() + 20_000; ; await new Promise((done) => setTimeout(done, 50))) {
    if (await f()) return;
    if (Date.now() > end) throw new Error("it does not come");
  }
}

/** Reads a subscription to the end of an epoch and returns its number. */
async function follow(from, to) {
  const got = await table(`SUBSCRIBE TO ${name("live")} PROGRESS FROM EPOCH ${from} UP TO EPOCH ${to}`);
  const ends = got.toArray().filter((r) => r._op === 0).map((r) => Number(r._epoch));
  return ends.at(-1);
}

async function refused(...words) {
  try {
    await client.query("SELECT nam FROM (SELECT 1 AS name)");
  } catch (e) {
    for (const w of words) if (!String(e).includes(w)) throw new Error(`${w} is not in: ${e}`);
    return;
  }
  throw new Error("no error");
}

async function main() {
  client = await connect("plain");
  await check("connect", () => one(connect("plain")));
  await check("password", () => one(connect("users", { username: env.user, password: env.password })));
  await check("token", () => one(connect("users", { token: env.token })));
  notApplicable("no option for an authority of one's own: it trusts what this computer trusts", "tls");
  await check("query", async () => want(await rows("SELECT 7 AS a, 'x' AS b"), [[7, "x"]]));
  await check("types", async () => {
    const bad = [];
    for (const t of TYPES) {
      try {
        const [[v]] = await rows(`SELECT ${t} AS v`);
        if (v === null || v === undefined) throw new Error("nothing");
      } catch (e) {
        bad.push(`${t}: ${e}`);
      }
    }
    if (bad.length) throw new Error(bad.join("; "));
  });
  await check("catalogs", async () => want(arrow.tableFromIPC(await client.getCatalogs()).toArray().map((r) => r.catalog_name), ["spark_catalog"]));
  await check("schemas", async () => want(arrow.tableFromIPC(await client.getDbSchemas({ dbSchemaFilterPattern: "default" })).numRows, 1));
  await check("tables", async () => want(arrow.tableFromIPC(await client.getTables({ tableNameFilterPattern: name("numbers") })).numRows, 1));
  await check("columns", async () => {
    const [t] = arrow.tableFromIPC(await client.getTables({ tableNameFilterPattern: name("numbers"), includeSchema: true })).toArray();
    want(arrow.tableFromIPC(t.table_schema).schema.fields.map((f) => f.name), ["n"]);
  });
  await check("update", async () => {
    await client.query(`CREATE TABLE ${name("u")} (n INT)`);
    want(await rows(`INSERT INTO ${name("u")} VALUES (1), (2)`), [[2]]);
  });
  await check("stream_append", async () => {
    await client.query(`CREATE TABLE ${name("s")} (n INT) USING flight`);
    await client.query(`INSERT INTO ${name("s")} VALUES (1), (2)`);
    want(await rows(`SELECT count(*) AS c FROM ${name("s")}`), [[2]]);
  });
  await check("large", async () => want((await table(LARGE)).numRows, 300_000));
  await check("live", async () => {
    const count = async () => (await rows(`SELECT n FROM ${name("counts")}`))[0]?.[0] ?? 0;
    await until(async () => (await count()) > 0);
    const before = await count();
    add(2);
    await until(async () => (await count()) >= before + 2);
  });
  await check("subscribe", async () => want((await table(`SUBSCRIBE TO ${name("live")} FROM EPOCH 0 LIMIT 3`)).numRows, 3));
  await check("resume", async () => {
    want(await follow(0, 0), 0);
    want(await follow(1, 1), 1);
  });
  await check("session", async () => {
    await client.query("CREATE TEMPORARY VIEW mine AS SELECT 7 AS n");
    want(await rows("SELECT n FROM mine"), [[7]]);
  });
  await check("error_class", () => refused("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703"));
  await check("error_place", () => refused("line 1:8"));
  notApplicable("it has query, getCatalogs, getDbSchemas and getTables", "parameters", "prepared", "info", "schema", "create", "append", "replace", "create_append",
    "nothing", "numbered", "cancel");
  notApplicable("a result comes as a whole", "endless");
}

main().then(() => process.exit(0));
