// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.backend.cpu.kernel.KernelTier;
import io.telechat.core.backend.cpu.kernel.KernelTiers;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A JVM without the module of the Vector API, as an application's usually is. */
@Tag("slow")
class VectorApiTest {
    @TempDir
    Path directory;

    @BeforeEach
    void needsNativeKernels() {
        assumeTrue(KernelTiers.best() != KernelTier.VECTOR, KernelTiers.nativeAbsence());
    }

    @Test
    void kernelsInCDoWithoutIt() throws Exception {
        Program.Result doctor =
                Program.start(directory, List.of(), "doctor", "--json").result();
        assertEquals("cpu", doctor.json().getFirst().get("default_backend").asText(), doctor.out());

        Program.Result chat = Program.start(
                        directory, List.of(), "chat", "--prompt", "hello", "--max-new-tokens", "4", "--quiet")
                .result();
        assertEquals(0, chat.code(), chat.err());
        assertTrue(chat.out().startsWith("Hello"), chat.out());
    }

    @Test
    void askingForKernelsInJavaSaysWhatToDo() throws Exception {
        Program.Result chat = Program.start(
                        directory, List.of("-Dtelechat.kernels=vector"), "chat", "--prompt", "hello", "--quiet")
                .result();
        Program.assertError(2, "-Dtelechat.kernels=vector: Java's Vector API is off", chat);
        assertTrue(chat.err().contains("--add-modules jdk.incubator.vector"), chat.err());
    }
}
