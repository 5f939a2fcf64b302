// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** The GPU of the tests: kernels run by an emulation, behind a stand-in of NVIDIA's driver, both made by telechat-cuda's build. */
public final class EmulatedGpu {
    private EmulatedGpu() {}

    /** Whether there was a C++ compiler to make them with; or a real GPU is to be tested, of which scripts/gpu-check.sh tells us. */
    public static boolean isBuilt() {
        return System.getProperty("telechat.gpu") != null
                || Files.exists(Path.of(System.getProperty("telechat.cuda.library", "none")));
    }

    /** Whether there are several: the stand-in has them, and a real machine may have one. */
    public static boolean areSeveral() {
        return isBuilt() && System.getProperty("telechat.gpu") == null;
    }

    /** Skips a test on the backend "cuda" where they are not. */
    public static void assumeBuiltFor(String backend) {
        assumeTrue(!backend.equals("cuda") || isBuilt(), "there is no g++ to build the emulation of a GPU with");
    }
}
