// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

/**
 * Runs several commands in one JVM. What they load and compile there, the JVM keeps for later starts, if it is told to write
 * an AOT cache (JEP 514, 515): the launcher's build does that.
 */
final class WarmUp {
    private WarmUp() {}

    /** @param commands each with its arguments on lines of their own */
    public static void main(String[] commands) {
        StandardStreams.install();
        for (String command : commands) {
            int code = TelechatCli.run(command.split("\n"));
            if (code != ExitCode.OK) {
                System.exit(code);
            }
        }
    }
}
