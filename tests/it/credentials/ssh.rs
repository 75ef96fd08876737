//! Docker contexts over ssh: the system's `ssh` is another one here, which passes on to an engine on the loopback.

use crate::hostile::platform::{Held, Platform, container};
use crate::pty::Pty;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(15);

/// The program in a terminal, with this script for `ssh` (its folder in `$D`) and a context that is reached by it.
fn open(home: &Path, script: &str) -> Pty {
    let ssh = home.join("ssh");
    fs::write(&ssh, format!("#!/bin/bash\nD={}\n{script}\n", home.display())).unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).unwrap();
    let meta = home.join(".docker/contexts/meta/far");
    fs::create_dir_all(&meta).unwrap();
    fs::write(meta.join("meta.json"), r#"{"Name":"far","Endpoints":{"docker":{"Host":"ssh://ops@box:2222"}}}"#).unwrap();
    let path = format!("{}:{}", home.display(), std::env::var("PATH").unwrap());
    Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (160, 40), &[], &[("HOME", home.to_str().unwrap()), ("PATH", &path)])
}

fn lines(home: &Path, name: &str) -> Vec<String> {
    fs::read_to_string(home.join(name)).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Whether this process runs. One that has ended and was not asked for yet has no command line.
fn runs(pid: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn a_docker_context_over_ssh_is_reached_by_the_system_s_ssh_which_has_no_terminal_and_ends_with_us() {
    let engine = Platform::start(Held { containers: vec![container(1, "-far", "running")], ..Held::default() });
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let script = r#"echo "$*" >> $D/called
(echo LEAKED > /dev/tty) 2>/dev/null && echo "wrote on the terminal" >> $D/bad
echo LEAKED >&2
sleep 600 & echo $$ $! >> $D/pids
exec 3<>/dev/tcp/127.0.0.1/PORT
cat <&3 &
exec cat >&3"#;
    let mut app = open(home, &script.replace("PORT", &engine.address.port().to_string()));
    app.send("5");
    app.wait_for("-far", SOON);
    let called = lines(home, "called");
    assert!(!called.is_empty());
    for line in &called {
        assert!(line.contains("-o BatchMode=yes") && line.ends_with("-l ops -p 2222 -- box docker system dial-stdio"), "{line}");
    }
    assert_eq!(lines(home, "bad"), Vec::<String>::new());
    assert!(!String::from_utf8_lossy(&app.bytes(0)).contains("LEAKED"), "it wrote on our screen");
    app.send("\x03");
    app.end(Duration::from_secs(5));
    let pids = lines(home, "pids");
    let end = Instant::now() + Duration::from_secs(2);
    while pids.iter().flat_map(|line| line.split(' ')).any(runs) {
        assert!(Instant::now() < end, "it outlived us");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("{} connections", pids.len());
}

#[test]
fn what_ssh_complains_of_is_said_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let mut app = open(home.path(), "printf 'ops@box: Permission denied (publickey).\\r\\n' >&2\nexit 255");
    app.send("2");
    app.wait_for("unauthorised", SOON);
    app.send("1");
    let want = "ops@box: Permission denied (publickey).; add your key to the ssh agent or its configuration";
    let want: String = want.split_whitespace().collect();
    // wherever the line is broken
    app.wait("what to do", SOON, |screen| screen.split_whitespace().collect::<String>().contains(&want));
}

#[test]
fn where_there_is_no_ssh_it_is_said() {
    let (home, nothing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(open(home.path(), ""));
    let env = [("HOME", home.path().to_str().unwrap()), ("PATH", nothing.path().to_str().unwrap())];
    let mut app = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (160, 40), &[], &env);
    app.send("1");
    app.wait_for("the program ssh, which logs in there, is not installed", SOON);
}
