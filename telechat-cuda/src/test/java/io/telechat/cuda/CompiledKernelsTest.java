// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.cuda.driver.CudaException;
import io.telechat.cuda.driver.Nvrtc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The sources in the jar, compiled by NVIDIA's library, which needs no GPU for that. */
@EnabledIf(value = "hasCompiler", disabledReason = "libnvrtc.so is not installed")
class CompiledKernelsTest {
    private static final int CUDA = 190;

    @TempDir
    Path folder;

    static boolean hasCompiler() {
        return Nvrtc.find().isPresent();
    }

    static Stream<String> sources() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/main/cuda"))) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".cu") && !name.equals("telechat.cu"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("sources")
    void everySourceFileIsCompiledWhereItRuns(String name) throws IOException {
        byte[] cubin = KernelImages.compile(Nvrtc.find().orElseThrow(), folder, name.replace(".cu", ""), 90);
        assertEquals(CUDA, cubin[18] & 0xff, "machine");
    }

    @Test
    void whatWasCompiledIsKept() throws IOException {
        Nvrtc compiler = Nvrtc.find().orElseThrow();
        byte[] first = KernelImages.compile(compiler, folder, "rms_norm", 80);
        try (Stream<Path> files = Files.list(folder)) {
            Path kept = files.findFirst().orElseThrow();
            Files.write(kept, new byte[] {1, 2, 3});
        }
        assertArrayEquals(new byte[] {1, 2, 3}, KernelImages.compile(compiler, folder, "rms_norm", 80));
        assertTrue(KernelImages.compile(compiler, folder, "rms_norm", 90).length > 3, "of another GPU");
        assertTrue(first.length > 3);
    }

    @Test
    void anErrorSaysWhere() {
        CudaException failure = assertThrows(
                CudaException.class, () -> Nvrtc.find().orElseThrow().compile("wrong.cu", "int x = y;", Map.of(), 90));
        assertTrue(failure.getMessage().contains("wrong.cu(1)"), failure.getMessage());
    }
}
