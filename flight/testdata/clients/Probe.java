import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What Arrow's JDBC driver for Flight SQL can do: an outcome a line for each capability of docs/clients.md. Arguments are key=value, with the
 * servers and names of matrix.py.
 */
public class Probe {
    static final String LONG = "SELECT count(*) FROM range(10000000) a CROSS JOIN range(10000000) b";
    static final String WRONG = "SELECT nam FROM (SELECT 1 AS name)";
    static final String[] TYPES = {"true", "1Y", "2S", "3", "4L", "1.5F", "2.5D", "1.25BD", "'ü'", "X'6162'", "DATE '2024-02-29'", "TIMESTAMP '2024-02-29 01:02:03'",
        "TIMESTAMP_NTZ '2024-02-29 01:02:03'", "array(1, 2)", "named_struct('a', 1)", "map('k', 1)", "INTERVAL '1' DAY"};

    static Map<String, String> given = new HashMap<>();
    static Connection c;
    static Statement s;

    interface Check { void run() throws Exception; }

    static void check(String capability, Check check) {
        try {
            check.run();
            tell(capability, "yes", "");
        } catch (Throwable e) {
            tell(capability, "no", String.valueOf(e).split("\n")[0]);
        }
    }

    static void notApplicable(String reason, String... capabilities) {
        for (String each : capabilities) tell(each, "n/a", reason);
    }

    static void tell(String capability, String outcome, String reason) {
        reason = reason.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ");
        System.out.println("{\"client\": \"JDBC\", \"capability\": \"" + capability + "\", \"outcome\": \"" + outcome + "\", \"reason\": \"" + reason + "\"}");
    }

    static void want(Object got, Object wanted) {
        if (!Objects.equals(got, wanted)) throw new AssertionError("got " + got + ", want " + wanted);
    }

    static String name(String what) { return given.get("prefix") + "_" + what; }

    static Connection open(String server, String more) throws SQLException {
        return DriverManager.getConnection("jdbc:arrow-flight-sql://" + given.get(server) + "?" + more);
    }

    static void works(Connection d) throws SQLException {
        try (d; Statement t = d.createStatement(); ResultSet r = t.executeQuery("SELECT 1")) {
            want(count(r), 1);
        }
    }

    static int count(ResultSet r) throws SQLException {
        int n = 0;
        while (r.next()) n++;
        return n;
    }

    /** Puts rows where the streaming queries read. */
    static void add(int rows) throws IOException {
        String name = String.format("%020d", System.currentTimeMillis() * 1_000_000 + System.nanoTime() % 1_000_000);
        Path folder = Path.of(given.get("folder")), part = folder.resolve("." + name);
        Files.writeString(part, "{\"n\":1}\n".repeat(rows));
        Files.move(part, folder.resolve(name + ".json"));
    }

    interface Answer { boolean there() throws Exception; }

    static void until(Answer answer) throws Exception {
        for (long end = System.nanoTime() + 20_000_000_000L; !answer.there(); Thread.sleep(50)) {
            if (System.nanoTime() > end) throw new AssertionError("it does not come");
        }
    }

    static SQLException refused(String text) {
        try {
            count(s.executeQuery(text));
        } catch (SQLException e) {
            return e;
        }
        throw new AssertionError("no error");
    }

    public static void main(String[] args) throws Exception {
        for (String a : args) given.put(a.substring(0, a.indexOf('=')), a.substring(a.indexOf('=') + 1));
        Class.forName("org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver"); // which java Probe.java does not find by itself
        c = open("plain", "useEncryption=false");
        s = c.createStatement();
        connections();
        statements();
        metadata();
        streams();
        notApplicable("JDBC has no ingest; rows go by INSERT with parameters", "create", "append", "replace", "create_append", "nothing", "numbered");
        try {
            c.close();
        } catch (SQLException e) {
            System.err.println(e); // the driver counts what a cancelled statement held as lost
        }
        System.out.flush();
        Runtime.getRuntime().halt(0); // a stream that was left keeps threads of the driver
    }

    static void connections() {
        check("connect", () -> works(open("plain", "useEncryption=false")));
        check("password", () -> works(open("users", "useEncryption=false&user=" + given.get("user") + "&password=" + given.get("password").replace(" ", "%20"))));
        check("token", () -> works(open("users", "useEncryption=false&token=" + given.get("token"))));
        check("tls", () -> works(open("tls", "useEncryption=true&useSystemTrustStore=false&tlsRootCerts=" + given.get("ca"))));
    }

    static void statements() {
        check("query", () -> {
            try (ResultSet r = s.executeQuery("SELECT 7 AS a, 'x' AS b")) {
                want(r.next(), true);
                want(r.getInt("a"), 7);
                want(r.getString("b"), "x");
            }
        });
        check("types", () -> {
            List<String> bad = new ArrayList<>();
            for (String each : TYPES) {
                try (ResultSet r = s.executeQuery("SELECT " + each)) {
                    want(r.next(), true);
                    want(r.getObject(1) != null, true);
                } catch (Exception e) {
                    bad.add(each + ": " + e);
                }
            }
            if (!bad.isEmpty()) throw new AssertionError("getObject: " + bad);
        });
        check("parameters", () -> {
            try (PreparedStatement p = c.prepareStatement("SELECT id FROM range(5) WHERE id > ? AND 'b' = ?")) {
                p.setLong(1, 3);
                p.setString(2, "b");
                ResultSet r = p.executeQuery();
                want(r.next(), true);
                want(r.getLong(1), 4L);
            }
        });
        check("prepared", () -> {
            try (PreparedStatement p = c.prepareStatement("SELECT id FROM range(5) WHERE id = ?")) {
                for (long n : new long[] {1, 4}) {
                    p.setLong(1, n);
                    ResultSet r = p.executeQuery();
                    want(r.next(), true);
                    want(r.getLong(1), n);
                }
            }
        });
        check("schema", () -> {
            try (PreparedStatement p = c.prepareStatement("SELECT 1 AS n, 'a' AS s")) {
                want(p.getMetaData().getColumnName(2), "s");
            }
        });
        check("update", () -> {
            s.execute("CREATE TABLE " + name("u") + " (n BIGINT, s STRING)");
            want(s.executeUpdate("INSERT INTO " + name("u") + " VALUES (1, 'a'), (2, 'b')"), 2);
        });
        check("stream_append", () -> {
            s.execute("CREATE TABLE " + name("s") + " (n BIGINT) USING flight");
            try (PreparedStatement p = c.prepareStatement("INSERT INTO " + name("s") + " VALUES (?)")) {
                p.setLong(1, 5);
                want(p.executeUpdate(), 1);
            }
            try (ResultSet r = s.executeQuery("SELECT n FROM " + name("s"))) {
                want(count(r), 1);
            }
        });
        check("large", () -> {
            try (ResultSet r = s.executeQuery("SELECT id, repeat('x', 200) AS s FROM range(300000)")) {
                want(count(r), 300000);
            }
        });
        check("cancel", () -> {
            Statement endless = c.createStatement();
            Thread canceller = new Thread(() -> {
                try {
                    Thread.sleep(700);
                    endless.cancel();
                } catch (SQLException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            canceller.setDaemon(true);
            canceller.start();
            long began = System.nanoTime();
            try {
                count(endless.executeQuery(LONG));
            } catch (SQLException | RuntimeException e) {
                if (System.nanoTime() - began > 8_000_000_000L) throw new AssertionError("it took too long");
                return;
            }
            throw new AssertionError("it came to an end");
        });
        check("session", () -> {
            s.execute("CREATE TEMPORARY VIEW mine AS SELECT 7 AS n");
            try (ResultSet r = s.executeQuery("SELECT n FROM mine")) {
                want(r.next(), true);
                want(r.getInt(1), 7);
            }
        });
        check("error_class", () -> {
            String said = refused(WRONG).getMessage();
            want(said.contains("[UNRESOLVED_COLUMN.WITH_SUGGESTION]") && said.contains("SQLSTATE: 42703"), true);
        });
        check("error_place", () -> want(refused(WRONG).getMessage().contains("line 1:8"), true));
    }

    static void metadata() throws SQLException {
        DatabaseMetaData m = c.getMetaData();
        check("catalogs", () -> want(count(m.getCatalogs()), 1));
        check("schemas", () -> want(count(m.getSchemas(null, "default")), 1));
        check("tables", () -> {
            want(count(m.getTables(null, null, name("numbers"), new String[] {"TABLE", "BASE TABLE"})), 1);
            want(count(m.getPrimaryKeys(null, null, name("numbers"))), 0);
        });
        check("info", () -> {
            want(m.getDatabaseProductName(), "flightd");
            List<String> bad = new ArrayList<>();
            for (java.lang.reflect.Method f : DatabaseMetaData.class.getMethods()) {
                if (f.getParameterCount() > 0 || f.getDeclaringClass() != DatabaseMetaData.class) continue;
                try {
                    f.invoke(m);
                } catch (java.lang.reflect.InvocationTargetException e) {
                    if (!(e.getCause() instanceof SQLFeatureNotSupportedException)) bad.add(f.getName() + ": " + e.getCause());
                }
            }
            if (!bad.isEmpty()) throw new AssertionError(bad.size() + " methods of DatabaseMetaData fail: " + bad);
        });
        check("columns", () -> {
            ResultSet r = m.getColumns(null, null, name("numbers"), null);
            want(r.next(), true);
            want(r.getString("COLUMN_NAME"), "n");
            want(r.getInt("DATA_TYPE"), Types.BIGINT);
        });
    }

    static long counted() throws SQLException {
        try (ResultSet r = s.executeQuery("SELECT n FROM " + name("counts"))) {
            return r.next() ? r.getLong(1) : 0;
        }
    }

    static void streams() {
        check("live", () -> {
            until(() -> counted() > 0);
            long before = counted();
            add(2);
            until(() -> counted() >= before + 2);
        });
        check("subscribe", () -> {
            try (ResultSet r = s.executeQuery("SUBSCRIBE TO " + name("live") + " FROM EPOCH 0 LIMIT 3")) {
                want(count(r), 3);
            }
        });
        check("endless", () -> {
            try (Statement t = c.createStatement(); ResultSet r = t.executeQuery("SUBSCRIBE TO " + name("live") + " FROM EPOCH 0")) {
                for (int i = 0; i < 8; i++) {
                    if (i == 3) add(5);
                    want(r.next(), true);
                }
            }
        });
        check("resume", () -> {
            long done = follow("FROM EPOCH 0");
            add(2);
            want(follow("FROM EPOCH " + (done + 1)) > done, true);
        });
    }

    /** Follows a subscription up to the row that says that an epoch is complete. */
    static long follow(String more) throws SQLException {
        try (Statement t = c.createStatement(); ResultSet r = t.executeQuery("SUBSCRIBE TO " + name("live") + " PROGRESS " + more)) {
            while (r.next()) {
                if (r.getInt("_op") == 0) return r.getLong("_epoch");
            }
        }
        throw new AssertionError("the subscription ended");
    }
}
