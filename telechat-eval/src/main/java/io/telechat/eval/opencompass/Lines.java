// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.core.checkpoint.TextFiles;
import java.nio.file.Path;

/** Texts as Python reads them from files: every line ends with a line feed, however the file has it. */
final class Lines {
    private Lines() {}

    static String read(Path file) {
        return withLineFeeds(TextFiles.read(file));
    }

    static String withLineFeeds(String text) {
        return text.replace("\r\n", "\n").replace('\r', '\n');
    }
}
