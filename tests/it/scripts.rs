//! The scripts behind `make`, run as `make` runs them.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci").join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The wrapper around a shell command, with the variables of an outer wrapper taken away.
fn wrapper(command: &str) -> Command {
    let mut wrapper = Command::new(script("with-postgres.sh"));
    wrapper.args(["sh", "-c", command]);
    wrapper.env_remove("SYNCLINE_TEST_POSTGRES_URL").env_remove("SYNCLINE_PG_BINDIR");
    wrapper.stdin(Stdio::null());
    wrapper
}

/// Asks the cluster, then prints its data folder and the pid of its server.
const ASK: &str = r#""$SYNCLINE_PG_BINDIR/psql" "$SYNCLINE_TEST_POSTGRES_URL" -XAtc \
    "select current_setting('data_directory'), current_setting('wal_level')""#;

/// Data folder and WAL level as printed by `ASK`.
fn answer(output: &Output) -> (PathBuf, String) {
    let printed = text(&output.stdout);
    let (data, level) = printed
        .trim()
        .split_once('|')
        .unwrap_or_else(|| panic!("{printed}\n{}", text(&output.stderr)));
    (PathBuf::from(data), level.to_owned())
}

#[test]
fn the_wrapper_gives_a_cluster_and_takes_it_away() {
    let output = wrapper(&format!("{ASK}; exit 7")).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    let (data, level) = answer(&output);
    assert_eq!(level, "logical");
    assert!(!data.exists() && !data.parent().unwrap().exists(), "{} is left", data.display());
}

#[test]
fn two_wrappers_at_once_do_not_meet() {
    let start = || wrapper(ASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let both = [start(), start()];
    let [one, other] = both.map(|child| child.wait_with_output().unwrap());
    assert!(one.status.success() && other.status.success());
    assert_ne!(answer(&one).0, answer(&other).0);
}

#[test]
fn a_wrapper_that_is_told_to_end_ends_its_command_and_its_cluster() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        // The command says that it is there, then waits for a line that never comes.
        let wait = format!("{ASK}; echo $$; exec sleep 600");
        let mut child = wrapper(&wait)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines =
            std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let data = lines.next().unwrap().unwrap();
        let data = PathBuf::from(data.split('|').next().unwrap());
        let command: i32 = lines.next().unwrap().unwrap().trim().parse().unwrap();

        let wrapper = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(wrapper, signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(!data.exists(), "{} is left", data.display());
        assert!(test_kill_process(Pid::from_raw(command).unwrap()).is_err(), "the command lives");
    }
}

#[test]
fn setup_does_nothing_when_nothing_is_missing() {
    // `make test` has run it before; it must be silent and leave the machine alone.
    let output = Command::new(script("setup.sh")).args(["build", "runtime"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn setup_names_what_to_install_where_it_cannot() {
    // A search path with the few programs it uses itself: no compiler, no package manager.
    let folder = std::env::temp_dir().join(format!("syncline-setup-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for program in ["bash", "dirname", "uname", "sort", "readlink"] {
        let found = ["/usr/bin", "/bin"]
            .iter()
            .map(|place| Path::new(place).join(program))
            .find(|path| path.exists())
            .unwrap_or_else(|| panic!("no {program}"));
        let _ = std::fs::remove_file(folder.join(program));
        std::os::unix::fs::symlink(found, folder.join(program)).unwrap();
    }
    let output = Command::new(folder.join("bash"))
        .arg(script("setup.sh"))
        .arg("build")
        .env("PATH", &folder)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("Please install by hand: gcc libc6-dev"), "{errors}");
}

#[test]
fn setup_refuses_an_unknown_part() {
    let output = Command::new(script("setup.sh")).arg("everything").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unknown part 'everything'"));
}
