// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.architecture.Architectures;
import io.telechat.core.architecture.ConfigFile;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.model.Section;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the 52B is cut for more ranks than any test has: the layout alone, without its memory. */
class ManyRanksOnPaperTest {
    private static ModelConfig config() {
        ConfigFile file = ConfigFile.read(Path.of("..", "configs", "telechat-52b.json"));
        return Architectures.of(file, Set.of()).readConfig(file, Set.of());
    }

    /** By layers, and the two ends of the model. */
    private static Map<Object, List<TensorSpec>> sections(ModelConfig config) {
        Function<TensorSpec, Object> section = spec -> {
            String[] words = spec.name().split("\\.");
            return words.length > 2 && words[1].equals("h")
                    ? Section.layer(Integer.parseInt(words[2]))
                    : spec.name().contains("wte") ? Section.EMBEDDING : Section.HEAD;
        };
        return config.architecture().tensors(config).stream().collect(Collectors.groupingBy(section));
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 64, 1000, 4096})
    void sharesAreEvenAndWhole(int ranks) {
        ModelConfig config = config();
        long shares = 0;
        for (List<TensorSpec> tensors : sections(config).values()) {
            for (boolean matrices : new boolean[] {true, false}) {
                List<TensorSpec> some = tensors.stream()
                        .filter(spec -> spec.shape().rank() == 2 == matrices)
                        .toList();
                if (!some.isEmpty()) {
                    FlatLayout layout = FlatLayout.of(some, ranks);
                    shares += layout.share();
                    long elements = 0;
                    for (int rank = 0; rank < ranks; rank++) {
                        elements += layout.parts(rank * layout.share(), (rank + 1) * layout.share()).stream()
                                .mapToLong(FlatLayout.Part::elements)
                                .sum();
                    }
                    assertEquals(
                            some.stream().mapToLong(s -> s.shape().elements()).sum(),
                            elements,
                            "every element is some rank's");
                }
            }
        }
        double even = (double) config.parameters() / ranks;
        assertTrue(shares <= 1.05 * even, shares + " elements, an even share is " + even);
    }
}
