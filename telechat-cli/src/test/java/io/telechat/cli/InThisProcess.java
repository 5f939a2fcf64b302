// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Runs {@code telechat} in this process, which is faster than {@link Program}; for tests that are isolated. */
final class InThisProcess {
    private InThisProcess() {}

    /** @param input what it reads from stdin */
    static Program.Result run(String input, String... args) {
        InputStream in = System.in;
        PrintStream out = System.out;
        PrintStream err = System.err;
        Locale locale = Locale.getDefault();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        ByteArrayOutputStream complained = new ByteArrayOutputStream();
        try {
            Locale.setDefault(Locale.ENGLISH);
            System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
            System.setOut(new PrintStream(said, false, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(complained, false, StandardCharsets.UTF_8));
            int code = TelechatCli.run(args);
            System.out.flush();
            System.err.flush();
            return new Program.Result(
                    code, said.toString(StandardCharsets.UTF_8), complained.toString(StandardCharsets.UTF_8));
        } finally {
            System.setIn(in);
            System.setOut(out);
            System.setErr(err);
            Locale.setDefault(locale);
        }
    }
}
