# SPDX-License-Identifier: Apache-2.0
#
# What the launchers of a checkout and of a release have in common: finding a JDK, making the JVM's cache, running telechat.
# To be sourced by bash. The launcher sets:
#   classpath   jars, as java takes them
#   home        directory of configs, datas and scripts
#   aot vector  files that warm_up makes: the JVM's cache, and whether Java's kernels are needed
# shellcheck shell=bash disable=SC2154

main=io.telechat.cli.TelechatCli

# The texts below are English and Chinese; the program has its own. What the user asked for is kept: LC_ALL may change below.
language=${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}

text() { # ENGLISH CHINESE
    [[ $language = zh* ]] && echo "$2" || echo "$1"
}

say() { # ENGLISH CHINESE
    echo "telechat: $(text "$1" "$2")" >&2
}

is_jdk25() {
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
    local line version=0
    while read -r line; do
        case "$line" in
            JAVA_VERSION=*) version=${line#*\"} version=${version%%[!0-9]*} ;;
        esac
    done < "$1/release"
    [ "${version:-0}" -ge 25 ]
}

find_jdk() {
    local dir
    for dir in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home; do
        if [ -n "$dir" ] && is_jdk25 "$dir"; then
            jdk=$dir
            return
        fi
    done
    say "needs a JDK 25 or later; install one (for example Temurin 25) or point JAVA_HOME to it" \
        "需要 JDK 25 或更新版本；请安装（例如 Temurin 25），或让 JAVA_HOME 指向它"
    exit 1
}

# Runs a few commands once and lets the JVM keep the classes that they load, and what it learnt of them, ready to use (JEP
# 514, 515). Without this file everything works, only later.
warm_up() {
    local tiny doctor
    rm -f "$aot" "$vector"
    tiny=$(mktemp -d)
    java_flags
    doctor=$("${java[@]}" $main doctor)
    [[ $doctor = *"kernels in C"* ]] || touch "$vector"
    java_flags
    "${java[@]}" $main init --config "$home/configs/tiny.json" --out "$tiny" --byte-tokenizer
    "${java[@]}" -XX:AOTCacheOutput="$aot" -Xlog:aot=off -Xlog:cds=off io.telechat.cli.WarmUp \
        version \
        help \
        $'chat\n'"$tiny"$'\n--prompt\nhello\n--max-new-tokens\n4' \
        $'process-data\n--data-path\n'"$home/configs/data.json"$'\n--tokenizer-path\n'"$tiny"$'\n--data-output-path\n'"$tiny/data"$'\n--max-seq-len\n256' \
        $'train\n--model-path\n'"$tiny"$'\n--data-path\n'"$tiny/data"$'\n--output-dir\n'"$tiny/run"$'\n--max-steps\n1'
    rm -rf "$tiny"
}

# Kernels in Java are used where there are none in C for this machine, or when they are asked for.
uses_vector_api() {
    [ -f "$vector" ] || [[ ${TELECHAT_JAVA_OPTIONS:-} = *telechat.kernels=vector* ]]
}

# Sets the array "java".
java_flags() {
    java=(
        "$jdk/bin/java"
        --enable-native-access=ALL-UNNAMED
        --sun-misc-unsafe-memory-access=allow
        --add-opens=java.base/java.io=ALL-UNNAMED
        -XX:+UseSerialGC
        -Xms20m -Xmn8m # what the heap has touched counts as memory used; weights are not in it
    )
    if [[ $OSTYPE = linux* ]]; then
        java+=(-XX:TrimNativeHeapInterval=500) # what the compilers have done with goes back to the system
    fi
    if uses_vector_api; then
        java+=(--add-modules jdk.incubator.vector)
    fi
    if [ -f "$aot" ]; then
        java+=("-XX:AOTCache=$aot" -Xlog:aot=off -Xlog:cds=off)
    fi
    java+=(-cp "$classpath")
}

# Without these, the JVM would open one of its own files as a standard stream.
open_standard_streams() {
    [ -e /dev/fd/0 ] || exec 0< /dev/null
    [ -e /dev/fd/1 ] || exec 1> /dev/null
    [ -e /dev/fd/2 ] || exec 2> /dev/null
}

# Arguments are decoded by the locale. One that is not installed counts as ASCII, whatever its name says, and then a prompt in
# Chinese would arrive as question marks; one that is installed and not UTF-8 is what the arguments are written in.
have_utf8_locale() {
    local name
    case "$(locale charmap 2> /dev/null || true)" in
        '' | ANSI_X3.4-1968 | US-ASCII | ASCII | 646) ;;
        *) return ;;
    esac
    for name in C.UTF-8 C.utf8 en_US.UTF-8; do
        if [ "$(LC_ALL=$name locale charmap 2> /dev/null)" = UTF-8 ]; then
            export LC_ALL=$name
            return
        fi
    done
    export LC_ALL=C.UTF-8
}

# Becomes telechat.
run() { # ARGUMENT…
    local command options complaint stdin=false stdout=false stderr=false
    java_flags
    # "if=c-kernels" leaves the line to models whose work is all done in C: not with kernels in Java, nor with weights that are
    # rounded, in Java, while they are loaded.
    while read -r command options; do
        [ "$command" = "${1:--}" ] || continue
        if [[ $options = if=c-kernels* ]]; then
            ! uses_vector_api && [[ " $* " != *' --weights'* ]] || continue
            options=${options#if=c-kernels}
        fi
        # shellcheck disable=SC2206
        java+=($options)
    done < "$home/scripts/jvm.options"
    [ ! -t 0 ] || stdin=true
    [ ! -t 1 ] || stdout=true
    [ ! -t 2 ] || stderr=true
    java+=("-Dtelechat.tty.stdin=$stdin" "-Dtelechat.tty.stdout=$stdout" "-Dtelechat.tty.stderr=$stderr")
    java+=("-Dtelechat.language=$language")
    # shellcheck disable=SC2206
    java+=(${TELECHAT_JAVA_OPTIONS:-})

    if [ -n "${TELECHAT_JAVA_OPTIONS:-}" ] && ! "${java[@]}" -version > /dev/null 2>&1; then
        java=("${java[@]/#-XX:AOTCache=*/-Xshare:auto}") # some heaps are too small for it
        if ! complaint=$("${java[@]}" -version 2>&1); then
            complaint=$(echo "$complaint" | grep -v -i warning | head -n 2 | tr '\n' ' ')
            say "java refuses TELECHAT_JAVA_OPTIONS: ${complaint% }" "java 拒绝 TELECHAT_JAVA_OPTIONS：${complaint% }"
            exit 2
        fi
    fi
    if uses_vector_api; then
        # The JVM warns of the incubating module on stderr at every start, and no option turns that off: so the JVM gets none to
        # write to, and the program takes the real one, parked as descriptor 3, as its stderr.
        exec 3>&2 2> /dev/null "${java[@]}" -Dtelechat.stderr.fd=3 $main "$@"
    fi
    exec "${java[@]}" $main "$@"
}
