// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Texts beside this package. */
final class Resources {
    static final String OWN_DIALOGS = "(built-in dialogs)";
    static final String OWN_CRITERIA = "(built-in criteria)";

    private Resources() {}

    static String read(String name) {
        try (InputStream in = Resources.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
