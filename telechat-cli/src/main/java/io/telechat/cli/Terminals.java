// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

/** Which of the standard streams are terminals. The launcher says so; without it, Java's console gives a hint. */
final class Terminals {
    private Terminals() {}

    static boolean isInput() {
        return is("stdin");
    }

    static boolean isOutput() {
        return is("stdout");
    }

    static boolean isError() {
        return is("stderr");
    }

    private static boolean is(String stream) {
        String told = System.getProperty("telechat.tty." + stream);
        return told == null ? System.console() != null : Boolean.parseBoolean(told);
    }
}
