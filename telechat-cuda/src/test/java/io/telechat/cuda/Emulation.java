// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import java.nio.file.Files;
import java.nio.file.Path;

/** The stand-ins that the build made of {@code src/test/native}; system properties of the tests point to them. */
final class Emulation {
    private Emulation() {}

    static boolean isBuilt() {
        return Files.exists(Path.of(System.getProperty("telechat.cuda.library", "none")));
    }
}
