// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * What nvcc made of the kernels, where it was there: products by tensor cores, and nothing in slow memory for want of registers. An
 * instruction is 16 bytes from sm_70 on, its kind the lowest 12 bits.
 */
@EnabledIf(
        value = "isCompiled",
        disabledReason = "there was no nvcc to compile the kernels with, or it was not asked to")
class MachineCodeTest {
    private static final Path CUBINS = Path.of(System.getProperty("telechat.cuda.cubins", "none"));
    /** Multiplies halves, or bfloat16, on tensor cores. */
    private static final int HMMA = 0x23c;
    /** Likewise, bytes. */
    private static final int IMMA = 0x237;
    /** Loads from a thread's own memory, where registers go that do not fit. */
    private static final int LDL = 0x983;

    private static final int STL = 0x387;
    private static final int CUDA = 190;
    private static final int INSTRUCTION = 16;

    static boolean isCompiled() {
        return Files.exists(CUBINS.resolve("product.ptx"));
    }

    /** Instructions of each kernel in a cubin, by kind. */
    private static Map<String, Map<Integer, Integer>> instructions(Path cubin) throws IOException {
        ByteBuffer elf = ByteBuffer.wrap(Files.readAllBytes(cubin)).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(CUDA, elf.getShort(18), "machine");
        int sections = (int) elf.getLong(40);
        int count = elf.getShort(60) & 0xffff;
        int names = (int) elf.getLong(sections + 64 * (elf.getShort(62) & 0xffff) + 24);
        Map<String, Map<Integer, Integer>> kernels = new TreeMap<>();
        for (int s = 0; s < count; s++) {
            int section = sections + 64 * s;
            StringBuilder name = new StringBuilder();
            for (int i = names + elf.getInt(section); elf.get(i) != 0; i++) {
                name.append((char) elf.get(i));
            }
            if (!name.toString().startsWith(".text.")) {
                continue;
            }
            Map<Integer, Integer> kinds = new TreeMap<>();
            int from = (int) elf.getLong(section + 24);
            for (int i = from; i < from + elf.getLong(section + 32); i += INSTRUCTION) {
                kinds.merge(elf.getShort(i) & 0xfff, 1, Integer::sum);
            }
            kernels.put(name.substring(".text.".length()), kinds);
        }
        return kernels;
    }

    private static List<Path> cubins(String start) throws IOException {
        try (Stream<Path> files = Files.list(CUBINS)) {
            return files.filter(f -> f.getFileName().toString().startsWith(start))
                    .filter(f -> f.toString().endsWith(".cubin"))
                    .toList();
        }
    }

    @Test
    void everySourceIsThereForEveryArchitecture() throws IOException {
        int architectures = cubins("product.").size();
        assertTrue(architectures > 0, "of products");
        for (String source : List.of("attention.", "attention_backward.", "head_norm.", "rope.")) {
            assertEquals(architectures, cubins(source).size(), source);
        }
    }

    @Test
    void productsRunOnTensorCores() throws IOException {
        for (String source : List.of("product.", "product_few.", "attention.", "attention_backward.")) {
            for (Path cubin : cubins(source)) {
                instructions(cubin).forEach((kernel, kinds) -> {
                    if (kernel.startsWith("few_q")) {
                        assertTrue(kinds.containsKey(IMMA), cubin + ": " + kernel);
                    } else if (!kernel.equals("attention_merge") && !kernel.equals("attention_delta")) {
                        assertTrue(kinds.containsKey(HMMA), cubin + ": " + kernel);
                    }
                });
            }
        }
    }

    @Test
    void noKernelThatMultipliesSpills() throws IOException {
        for (String source :
                List.of("product.", "attention.", "attention_backward.sm_80", "attention_backward.sm_90a")) {
            for (Path cubin : cubins(source)) {
                instructions(cubin)
                        .forEach((kernel, kinds) ->
                                assertTrue(!kinds.containsKey(LDL) && !kinds.containsKey(STL), cubin + ": " + kernel));
            }
        }
    }
}
