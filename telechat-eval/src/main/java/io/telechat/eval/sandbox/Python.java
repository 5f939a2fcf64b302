// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A Python interpreter of this machine.
 *
 * @param executable its own path: a command such as {@code python3} may be a script that looks for it
 * @param files what it needs beside the system's directories: itself, its libraries, the file that marks a virtual environment
 */
record Python(String executable, List<String> files) {
    private static final int PATIENCE_SECONDS = 30;

    private static final String ABOUT = """
        import os, sys
        if sys.version_info < (3, 7): sys.exit("Python 3.7 or newer is needed, this is " + sys.version.split()[0])
        import resource
        print(os.path.abspath(sys.executable))
        print(os.path.realpath(sys.executable))
        for prefix in dict.fromkeys((sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix)):
            for name in ("lib", "lib32", "lib64", "pyvenv.cfg"):
                path = os.path.abspath(os.path.join(prefix, name))
                if os.path.exists(path): print(path)
        """;

    /** Asks the interpreter about itself, with the user's environment. */
    static Python find(String command) {
        List<String> lines;
        try {
            Process process = new ProcessBuilder(command, "-s", "-c", ABOUT)
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            Thread limit = Thread.ofPlatform().daemon().start(() -> endAfter(process));
            lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            limit.join();
            if (process.exitValue() != 0) {
                throw new InvalidRequestException(
                        "%s does not run: %s", command, lines.isEmpty() ? process.exitValue() : lines.getLast());
            }
        } catch (IOException e) {
            throw new InvalidRequestException(
                    e,
                    "generated programs are run by Python, but there is no %s: install Python 3.7 or newer, or name"
                            + " one",
                    command);
        } catch (InterruptedException e) {
            throw Execution.interrupted(e);
        }
        if (lines.size() < 2 || !lines.stream().allMatch(line -> Path.of(line).isAbsolute())) {
            throw new InvalidRequestException("%s is no Python: asked about itself it says %s", command, lines);
        }
        return new Python(lines.getFirst(), lines);
    }

    private static void endAfter(Process process) {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                process.waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
        }
    }
}
