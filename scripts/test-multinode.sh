#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Training on two machines for real: network namespaces with a cable between them, host names and sshd of their own, ssh and
# mpirun in between. Needs root, ip, sshd and mpirun, and touches nothing outside of what it makes. Two ranks on each of them cut a
# model among them (ZeRO stage 3) and end like one process; they make the same data, and generate the same tokens with a model in
# four parts; then one rank is killed, and the run ends with one message. Last, a disk gets full while two ranks save.
set -euo pipefail
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
name=tc$$
port=2222

cleanup() {
    for node in 1 2; do
        [ ! -f "$work/sshd-$node.pid" ] || kill "$(cat "$work/sshd-$node.pid")" || true
        ip netns delete "$name-$node" 2> /dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT

fail() {
    echo "test-multinode: $*" >&2
    exit 1
}

for program in ip sshd mpirun unshare; do
    command -v "$program" > /dev/null || PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || fail "there is no $program"
done
sshd=$(PATH=$PATH:/usr/sbin command -v sshd)

ip netns add "$name-1"
ip netns add "$name-2"
ip link add "$name-a" type veth peer name "$name-b"
ip link set "$name-a" netns "$name-1"
ip link set "$name-b" netns "$name-2"
ip -n "$name-1" addr add 10.77.0.1/24 dev "$name-a"
ip -n "$name-2" addr add 10.77.0.2/24 dev "$name-b"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
mkdir -p /run/sshd
for node in 1 2; do
    ip -n "$name-$node" link set lo up
    ip -n "$name-$node" link set "$name-$([ $node = 1 ] && echo a || echo b)" up
    cat > "$work/sshd-$node.conf" <<END
Port $port
ListenAddress 10.77.0.$node
HostKey $work/host
AuthorizedKeysFile $work/key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile $work/sshd-$node.pid
END
    ip netns exec "$name-$node" unshare --uts sh -c "hostname node$node && exec '$sshd' -f '$work/sshd-$node.conf'"
done
printf '10.77.0.1 slots=2\n10.77.0.2 slots=2\n' > "$work/hosts"

# Runs a program on the first machine.
on_first() {
    ip netns exec "$name-1" unshare --uts sh -c 'hostname node1 && exec "$@"' sh \
        env OMPI_MCA_plm_rsh_args="-p $port -i $work/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR" \
        OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 OMPI_MCA_oob_tcp_if_include=10.77.0.0/24 "$@"
}

train() {
    on_first "$home/telechat" train --model-path "$work/model" --data-path "$work/data" --threads 1 \
        --per-device-train-batch-size 2 --gradient-accumulation-steps 2 "$@"
}

"$home/telechat" init --config "$home/configs/tiny.json" --out "$work/model" --byte-tokenizer
"$home/telechat" process-data --data-path "$home/configs/data.json" --tokenizer-path "$work/model" \
    --data-output-path "$work/data" --max-seq-len 256
train --output-dir "$work/one" --max-steps 4
train --output-dir "$work/four" --max-steps 4 --hostfile "$work/hosts" --zero-stage 3
losses() {
    grep -o '"loss":[0-9.]*' "$1/metrics.jsonl" | cut -d: -f2
}
paste <(losses "$work/one") <(losses "$work/four") |
    awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 2e-5) exit 1 } END { exit NR != 4 }' ||
    fail "four ranks on two machines have other losses than one: $(losses "$work/four" | tr '\n' ' ')"
for rank in 1 2 3; do
    [ -f "$work/four/logs/rank-$rank.log" ] || fail "rank $rank has no log"
done
echo "test-multinode: four ranks on two machines trained like one"

on_first "$home/telechat" process-data --data-path "$home/configs/data.json" --tokenizer-path "$work/model" \
    --data-output-path "$work/data-four" --max-seq-len 256 --hostfile "$work/hosts" --threads 1
cmp "$work/data/train_data_0.safetensors" "$work/data-four/train_data_0.safetensors" || fail "four ranks made other data than one"
echo "test-multinode: four ranks on two machines made the same data"

generate() {
    on_first "$home/telechat" generate "$work/model" --tokens 5,6,7 --greedy --max-new-tokens 12 --json --threads 1 "$@" |
        grep -o '"tokens":\[[0-9,]*\]'
}
[ "$(generate)" = "$(generate --hostfile "$work/hosts")" ] || fail "a model in four parts generates other tokens"
echo "test-multinode: a model in four parts on two machines generated the same tokens"

code=0
train --output-dir "$work/killed" --max-steps 100000 --save-steps 1 --hostfile "$work/hosts" --zero-stage 3 2> "$work/err" &
launcher=$!
for _ in $(seq 300); do
    [ ! -d "$work/killed/checkpoint-2" ] || break
    sleep 0.2
done
victim=$(ip netns pids "$name-2" | while read -r pid; do
    tr '\0' ' ' < "/proc/$pid/cmdline" | grep -q 'bin/java .*telechat.rank=true' && echo "$pid"
done | tail -n 1) || true
[ -n "$victim" ] || fail "no rank runs on the second machine"
kill -9 "$victim"
wait $launcher || code=$?
[ $code = 5 ] || fail "exit code $code, not 5: $(cat "$work/err")"
grep -q 'killed by signal 9, at step' "$work/err" || fail "no message of the killed rank: $(cat "$work/err")"
sleep 1
for node in 1 2; do
    for pid in $(ip netns pids "$name-$node"); do
        ! tr '\0' ' ' < "/proc/$pid/cmdline" | grep -q 'telechat.rank=true' || fail "process $pid is left running"
    done
done
echo "test-multinode: a killed rank ended the run: $(grep 'killed by' "$work/err")"

# A disk that has room for two checkpoints: the third is not written, and the two are whole.
mkdir "$work/small"
unshare -m sh -c 'mount -t tmpfs -o size=$1 none "$2" && shift 2 && exec "$@"' sh 12m "$work/small" bash -c '
    set -u
    code=0
    "$1/telechat" train --model-path "$2/model" --data-path "$2/data" --output-dir "$2/small/run" --threads 1 \
        --per-device-train-batch-size 2 --max-steps 1000 --save-steps 1 --save-total-limit 1000 --ranks 2 --zero-stage 3 2> "$2/err" ||
        code=$?
    [ $code = 3 ] || { echo "exit code $code, not 3: $(cat "$2/err")"; exit 1; }
    grep -q "the disk has room for" "$2/err" || { echo "no message of the full disk: $(cat "$2/err")"; exit 1; }
    last=$(ls -d "$2"/small/run/checkpoint-* | sort -V | tail -n 1)
    mkdir "$2/rest" && cp -r "$last" "$2/small/run/config.yaml" "$2/rest"
    "$1/telechat" train --model-path "$2/model" --data-path "$2/data" --output-dir "$2/rest" --threads 1 \
        --per-device-train-batch-size 2 --max-steps $((${last##*-} + 1)) --schedule-steps 1000 --resume
' sh "$home" "$work" || fail "a full disk"
echo "test-multinode: a full disk ended the run, which went on elsewhere from its last checkpoint"
