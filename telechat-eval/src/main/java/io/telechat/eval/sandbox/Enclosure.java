// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.html.Page;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What stands before the interpreter's command line: the tools of util-linux that make the namespaces.
 *
 * @param unshare makes them, and may become root in a user namespace for that
 * @param identity options of setpriv: whom the program runs as
 */
record Enclosure(List<String> unshare, String identity) {
    private static final List<String> NAMESPACES =
            List.of("--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child");

    /** Of a root that may do all: the program runs as nobody. */
    static final Enclosure OF_ROOT = new Enclosure(List.of("unshare"), "--reuid=65534 --regid=65534 --clear-groups");

    /** Of everybody else: the kernel lets a user be root among namespaces of their own. */
    static final Enclosure OF_USER = new Enclosure(List.of("unshare", "--user", "--map-root-user"), "");

    /** The kernel's switches that forbid the latter. */
    private static final List<Switch> SWITCHES = List.of(
            new Switch("kernel/unprivileged_userns_clone", "0", "1"),
            new Switch("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
            new Switch("user/max_user_namespaces", "0", "10000"),
            new Switch("user/max_mnt_namespaces", "0", "10000"),
            new Switch("user/max_pid_namespaces", "0", "10000"),
            new Switch("user/max_net_namespaces", "0", "10000"),
            new Switch("user/max_ipc_namespaces", "0", "10000"));

    private record Switch(String file, String off, String on) {
        boolean isOff() {
            try {
                return Files.readString(Path.of("/proc/sys", file)).strip().equals(off);
            } catch (IOException e) {
                return false; // this kernel does not have it
            }
        }
    }

    /** The command line that runs {@code command}, which needs {@code files} beside the system's own. */
    List<String> around(List<String> command, List<String> files, Limits limits) {
        List<String> all = new ArrayList<>(unshare);
        all.addAll(NAMESPACES);
        long seconds = Execution.START.plus(limits.time()).toSeconds() + 1;
        all.addAll(List.of("sh", "-c", Page.resource(Enclosure.class, "sandbox.sh"), "sandbox", identity));
        all.addAll(List.of(Long.toString(seconds), Long.toString(limits.fileBytes())));
        all.addAll(files);
        all.add("--");
        all.addAll(command);
        return all;
    }

    /** Why there is no sandbox, and what helps. */
    static InvalidRequestException refusal(Exception cause) {
        String reason = cause.getMessage();
        Message help = SWITCHES.stream()
                .filter(Switch::isOff)
                .findFirst()
                .map(off ->
                        Message.of("sudo sysctl -w %s=%s allows it", off.file().replace('/', '.'), off.on()))
                .orElseGet(() -> Message.of(
                        "it takes Linux, util-linux 2.36 or newer (unshare, setpriv, mount) and user namespaces, which"
                                + " containers often forbid (Docker: --security-opt seccomp=unconfined"
                                + " --security-opt apparmor=unconfined)"));
        return new InvalidRequestException(
                cause, "generated programs are not run, there is no sandbox for them: %s; %s", reason, help);
    }
}
