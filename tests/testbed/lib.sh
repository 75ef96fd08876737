# What the testbeds share. Sourced, never run.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${QUARTERDECK_TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/quarterdeck-testbed}
# Debian keeps dockerd, ip and iptables here, and not every root shell has them on its path.
PATH=$PATH:/usr/sbin:/sbin
# A caller's own cluster must never be mistaken for the testbed.
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH KUBECONFIG

say() { echo "$*" >&2; }
die() { say "$*"; exit 1; }
cannot() { say "cannot run here: $*"; exit 3; }

need_root() { [[ $(id -u) == 0 ]] || cannot "the testbed needs root (network namespaces, cgroups)."; }

need() { # PROGRAM...
    local program
    for program; do
        command -v "$program" >/dev/null || cannot "$program is missing; tests/testbed/install gets it."
    done
}

# One at a time for the whole machine: namespaces and bridges have one name, whatever the state folder.
lock() { # NAME
    mkdir -p /run/lock
    exec 9>"/run/lock/quarterdeck-$1.lock"
    flock 9
}

# Polls until the command works. Sleeps are short, since most starts take one or two seconds.
wait_for() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# ---- Certificates, in the present folder: NAME.crt and NAME.key.

authority() { # NAME
    openssl req -x509 -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout "$1.key" -out "$1.crt" \
        -subj "/CN=quarterdeck-testbed-$1" -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}

certificate() { # NAME AUTHORITY SUBJECT ALTERNATIVE-NAMES
    openssl ecparam -genkey -name prime256v1 -noout -out "$1.key"
    openssl req -new -key "$1.key" -subj "$3" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 -out "$1.crt" -extfile <(
        echo basicConstraints=critical,CA:FALSE
        echo keyUsage=critical,digitalSignature
        echo extendedKeyUsage=serverAuth,clientAuth
        echo "subjectAltName=$4"
    ) 2>/dev/null
    rm "$1.csr"
}

# ---- Docker engines. Each lives in a network namespace of its own and in a cgroup of the same name: everything that
# belongs to an engine (dockerd, its containerd, shims, containers) can then be found without guessing, also when an
# earlier run was killed, and its bridges and firewall rules go away with the namespace.

# Debian's client fits Debian's engine; another one on the path may have left its API version behind.
docker=/usr/bin/docker
[[ -x $docker ]] || docker=docker

# One that had just been launched when its namespace was deleted has kept that namespace, without a name: its command line
# still says whose it is.
engine_pids() { # NETNS DIR
    {
        ip netns pids "$1"
        find /sys/fs/cgroup -path "*/quarterdeck/$1/*" -name cgroup.procs -exec cat {} +
        pgrep -f -- "$2/(data|run)( |/)"
    } 2>/dev/null | sort -u
}

engine_alive() { # NETNS DIR
    local pid
    pid=$(cat "$2/dockerd.pid" 2>/dev/null) && ip netns pids "$1" 2>/dev/null | grep -qx "$pid"
}

# The namespace may be held by an engine of another state folder: not ours to end.
engine_foreign() { # NETNS DIR
    local pid
    for pid in $(ip netns pids "$1" 2>/dev/null); do
        if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -- 'dockerd ' &&
            ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "--data-root $2/data "; then
            return 0
        fi
    done
    return 1
}

engine_kill() { # NETNS DIR: the power goes out; the data stay
    local pids
    while pids=$(engine_pids "$1" "$2") && [[ -n $pids ]]; do
        # shellcheck disable=SC2086
        kill -KILL $pids 2>/dev/null || true
        sleep 0.1
    done
    find /sys/fs/cgroup -depth -type d -path "*/quarterdeck/$1*" -exec rmdir {} + 2>/dev/null || true
    find /sys/fs/cgroup -depth -type d -path '*/quarterdeck' -exec rmdir {} + 2>/dev/null || true
}

engine_stop() { # NETNS DIR: as a machine that is shut down does it; containers are stopped first
    local pid
    engine_alive "$1" "$2" || return 0
    pid=$(cat "$2/dockerd.pid")
    kill -TERM "$pid"
    wait_for 30 bash -c "! kill -0 $pid" || die "dockerd does not end."
    engine_kill "$1" "$2"
}

# Removing a folder takes away what other namespaces have mounted there: only when the last engine is gone.
engines_gone() {
    compgen -G '/run/netns/qd-*' >/dev/null || rmdir /run/containerd /run/docker 2>/dev/null || true
}

engine_launch() { # NETNS DIR HOSTNAME DOCKERD_ARGUMENT...
    local netns=$1 dir=$2 name=$3
    shift 3
    # The kernel takes 107 bytes for the path of a socket; containerd's is the longest.
    ((${#dir} < 70)) || cannot "the state folder $dir is too long for socket paths; set QUARTERDECK_TESTBED to a shorter one."
    rm -rf "$dir/run" "$dir/dockerd.pid" "$dir/docker.sock"
    mkdir -p "$dir"
    # A mount namespace of its own: layers and container namespaces that it mounts vanish with its last process.
    # (`ip netns exec` would mount another /sys and hide the cgroups.) cgroupfs, because with systemd's driver the
    # cgroup could not be named.
    # Shims put their sockets under /run/containerd whatever the engine's options say, and a killed shim leaves them:
    # hence an own /run/containerd, and an own /run/docker for plugins.
    setsid nsenter --net="/run/netns/$netns" unshare --mount --uts sh -c '
        hostname "$0" &&
        mkdir -p /run/containerd /run/docker &&
        mount -t tmpfs tmpfs /run/containerd && mount -t tmpfs tmpfs /run/docker &&
        exec "$@"' "$name" dockerd \
        --data-root "$dir/data" --exec-root "$dir/run" --pidfile "$dir/dockerd.pid" --host "unix://$dir/docker.sock" \
        --cgroup-parent "/quarterdeck/$netns" --exec-opt native.cgroupdriver=cgroupfs "$@" \
        </dev/null >>"$dir/dockerd.log" 2>&1 9>&- &
}

engine_wait() { # DIR
    wait_for 60 "$docker" -H "unix://$1/docker.sock" info || {
        tail -n 20 "$1/dockerd.log" >&2
        die "dockerd did not answer within 60 s; its log is $1/dockerd.log."
    }
}

# Images without a registry: Debian's static busybox, and an application in two versions that differ in /etc/version,
# in a label and in the environment.
images_make() { # DIR: imports into the engine of DIR
    local busybox=/bin/busybox scratch applet version
    [[ -x $busybox ]] || busybox=$(command -v busybox)
    scratch=$(mktemp -d "$1/image.XXXXXX")
    mkdir -p "$scratch"/{bin,etc,proc,sys,dev,tmp,root,var,www}
    cp "$busybox" "$scratch/bin/busybox"
    chroot "$scratch" /bin/busybox true 2>/dev/null || cannot "$busybox is not static; tests/testbed/install gets Debian's busybox-static."
    for applet in $("$busybox" --list); do
        # It lists itself, too.
        [[ $applet == busybox ]] || ln -s busybox "$scratch/bin/$applet"
    done
    chmod 1777 "$scratch/tmp"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$scratch/etc/passwd"
    echo 'root:x:0:' >"$scratch/etc/group"
    tar -C "$scratch" -c . | "$docker" -H "unix://$1/docker.sock" import --change 'CMD ["sh"]' - busybox:qd >/dev/null

    # It stops at once on TERM: a shell as process 1 would otherwise ignore it for the ten seconds of grace.
    cat >"$scratch/bin/app" <<'APP'
#!/bin/sh
trap 'echo stopping; exit 0' TERM INT
echo "app version $(cat /etc/version) on $(hostname)"
n=0
while :; do
    n=$((n + 1))
    echo "tick $n"
    sleep 1 &
    wait $!
done
APP
    chmod +x "$scratch/bin/app"
    for version in 1 2; do
        echo "$version" >"$scratch/etc/version"
        tar -C "$scratch" -c . | "$docker" -H "unix://$1/docker.sock" import --change 'CMD ["app"]' \
            --change "ENV APP_VERSION=$version" --change "LABEL org.opencontainers.image.version=$version" \
            - "app:$version" >/dev/null
    done
    rm -rf "$scratch"
}
