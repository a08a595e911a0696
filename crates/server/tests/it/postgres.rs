//! A PostgreSQL of the tests' own: a cluster in a folder of its own, on a loopback port that was free, for as long as whoever
//! started it lives. Refuses to be anybody's database that was there before.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use doorcode::store::PgSettings;
use doorcode_core::Secret;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// What the tests of both engines are told by `./check`.
const ENGINE: &str = "TEST_ENGINE";

/// Whether houses of the tests stand on PostgreSQL in this run.
pub(crate) fn is_wanted() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the run's own switch")]
    let engine = std::env::var_os(ENGINE);
    engine.is_some_and(|engine| engine == "postgres")
}

/// Sets a cluster up, runs it until its standard input ends, and clears it away: however the tests end, nothing stays. Each line
/// that it reads meanwhile is a signal for the server, whose end is waited for, or `STOP` or `CONT` for all of its processes, or `start`, or
/// `promote` for one that follows another. $1 the folder, $2 the port, $3 the programs' directory, $4 the port of the server to follow, if any; the rest are the
/// server's own arguments.
const KEEPER: &str = r#"
dir=$1 port=$2 bin=$3 leader=$4
shift 4
start() {
    "$bin/postgres" -D "$dir/data" -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 "$@" >>"$dir/server.log" 2>&1 &
    pid=$!
}
if [ -z "$leader" ]; then
    "$bin/initdb" -D "$dir/data" -U door -A trust -E UTF8 --locale=C.UTF-8 --no-sync
else
    "$bin/pg_basebackup" -D "$dir/data" -h 127.0.0.1 -p "$leader" -U door -R -X stream -c fast --no-sync
fi >"$dir/made.log" 2>&1 || { cat "$dir/made.log"; exit 1; }
start "$@"
echo "$pid"
while read -r word; do
    case $word in
    start)
        # Where it was killed, some of its backends may still be there for a moment, and it refuses to start beside them.
        start "$@"
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            sleep 0.2
            kill -0 "$pid" 2>/dev/null && break
            start "$@"
        done ;;
    # Its backends are groups of their own.
    STOP|CONT)
        for stat in /proc/[0-9]*/stat; do
            read -r child _ _ parent _ 2>/dev/null <"$stat" && [ "$parent" = "$pid" ] && kill "-$word" "$child"
        done
        kill "-$word" "$pid" ;;
    promote) "$bin/pg_ctl" -D "$dir/data" -w promote >/dev/null ;;
    *) kill "-$word" "$pid"; wait "$pid" 2>/dev/null ;;
    esac
    echo done
done
kill -INT "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
rm -rf "$dir"
"#;

/// A cluster.
pub(crate) struct Cluster {
    /// Its keeper; the cluster goes when its standard input is closed.
    keeper: Child,
    says: BufReader<ChildStdout>,
    port: u16,
}

impl Cluster {
    /// A cluster with these settings. None where PostgreSQL is not installed, which is said.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        Self::made(settings, None)
    }

    /// A standby of another cluster, which streams what that one commits.
    pub(crate) fn following(leader: &Self) -> Self {
        Self::made(&["max_connections=60"], Some(leader.port)).unwrap()
    }

    fn made(settings: &[&str], leader: Option<u16>) -> Option<Self> {
        let Some(programs) = programs() else {
            say("PostgreSQL is not installed: skipped");
            return None;
        };
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short: the path of a socket has room for a hundred characters. And open to the user that PostgreSQL runs as.
        let dir = std::env::temp_dir().join(format!("doorcode-pg-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = unprivileged(&dir);
        command.args(["sh", "-c", KEEPER, "keeper"]).arg(&dir).arg(port.to_string()).arg(programs);
        command.arg(leader.map_or_else(String::new, |port| port.to_string()));
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut says = BufReader::new(keeper.stdout.take().unwrap());
        let mut line = String::new();
        says.read_line(&mut line).unwrap();
        assert!(line.trim().parse::<u32>().is_ok(), "no server was started: {line}");
        let cluster = Self { keeper, says, port };
        cluster.wait();
        Some(cluster)
    }

    /// Waits until it answers.
    fn wait(&self) {
        for _ in 0..600 {
            if query(&self.url("postgres"), "SELECT 1").is_ok() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("the cluster does not answer");
    }

    /// The URL of a database in it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://door@127.0.0.1:{}/{database}", self.port)
    }

    /// A new database, empty.
    pub(crate) fn database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
        query(&self.url("postgres"), &format!("CREATE DATABASE {name}")).unwrap();
        self.url(&name)
    }

    /// Ends its server by a signal: `KILL`, or `INT` for a fast end in order. Its data stay.
    pub(crate) fn end(&mut self, signal: &str) {
        self.tell(signal);
    }

    /// From now on it takes connections and bytes, and answers nothing, as behind a line that is dead.
    pub(crate) fn freeze(&mut self) {
        self.tell("STOP");
    }

    /// It goes on where it was.
    pub(crate) fn thaw(&mut self) {
        self.tell("CONT");
    }

    /// Starts the server again that was ended, and waits until it answers.
    pub(crate) fn again(&mut self) {
        self.tell("start");
        self.wait();
    }

    /// Makes a standby the server that writes.
    pub(crate) fn promote(&mut self) {
        self.tell("promote");
    }

    /// The URL of a database that is in this cluster and, once it takes over, in another.
    pub(crate) fn url_with(&self, other: &Self, database: &str) -> String {
        let ports = format!("127.0.0.1:{},127.0.0.1:{}", self.port, other.port);
        format!("postgres://door@{ports}/{database}?target_session_attrs=read-write")
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.keeper.stdin.as_mut().unwrap(), "{word}").unwrap();
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests must hear what was not run")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// The cluster that the tests of one run share. It needs to survive nothing, so it syncs nothing.
pub(crate) fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    let settings = ["fsync=off", "full_page_writes=off", "max_connections=400", "shared_buffers=64MB"];
    SHARED.get_or_init(|| Cluster::start(&settings)).as_ref()
}

/// The settings of a database, as an operator would set them.
pub(crate) fn settings(url: &str, connections: usize) -> PgSettings {
    PgSettings::read(&Secret::new(url.to_owned()), None, connections, Duration::from_secs(5)).unwrap()
}

/// What a statement gives: of each row the first column. By a connection of its own, on a thread of its own.
pub(crate) fn query(url: &str, sql: &str) -> Result<Vec<String>, String> {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let asked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.map_err(|error| error.to_string())?;
            let driver = tokio::spawn(connection);
            let messages = client.simple_query(&sql).await.map_err(|error| format!("{error:?}"))?;
            drop(client);
            drop(driver.await);
            let first = |message: SimpleQueryMessage| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            };
            Ok(messages.into_iter().filter_map(first).collect())
        })
    });
    asked.join().unwrap()
}

/// Where Debian keeps the programs of the newest version that is there.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let number = |path: &PathBuf| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .max_by_key(number)
}

/// The beginning of a command that does not run as root, since PostgreSQL refuses to. The folder is made its user's.
fn unprivileged(dir: &Path) -> Command {
    use std::os::unix::fs::MetadataExt as _;
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new("env");
    }
    let given = Command::new("chown").arg("postgres").arg(dir).status().unwrap();
    assert!(given.success(), "the folder is given to the user that Debian made for PostgreSQL");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    command
}
