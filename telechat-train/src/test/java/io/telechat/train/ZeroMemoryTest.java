// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.train.zero.FrozenParameters;
import io.telechat.train.zero.ShardedParameters;
import io.telechat.train.zero.ZeroStage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each rank keeps is its share and little more. */
class ZeroMemoryTest {
    private static final String CONFIG = """
        {"model_type": "telechat", "n_embd": 128, "n_head": 4, "n_layer": 3, "n_inner": 344, "n_positions": 256,
         "vocab_size": 1000, "layer_norm_epsilon": 1e-5, "use_mup": true, "input_mult": 1.5, "output_mult": 2.0,
         "mup_scale_factor": 4.0, "initializer_range": 0.3, "eos_token_id": 2}\
        """;
    private static final long PARAMETERS = 2L * 1000 * 128 + 3L * (4 * 128 * 128 + 3 * 128 * 344 + 2 * 128) + 128;
    private static final double PADDING = 1.05;

    @TempDir
    static Path directory;

    private static Path model;

    @BeforeAll
    static void makeModel() throws IOException {
        model = TinyModels.make(directory, "model", CONFIG, 5);
    }

    /** Bytes of each parameter: master and value (one where both are F32) and gradient, each cut or not. */
    @ParameterizedTest
    @CsvSource({
        "2, NOTHING, F32, 4, 4", "2, OPTIMIZER, BF16, 6, 4", "4, OPTIMIZER, BF16, 6, 4", "2, GRADIENTS, F32, 4, 4",
        "4, GRADIENTS, BF16, 2, 8", "2, PARAMETERS, F32, 0, 8", "4, PARAMETERS, F32, 0, 8", "4, PARAMETERS, BF16, 0, 10"
    })
    void aRankKeepsItsShare(int ranks, ZeroStage stage, DType dtype, int whole, int cut) {
        LocalRanks.run(ranks, Duration.ofSeconds(60), communicator -> {
            try (Backend backend = Backends.byName("cpu", 1);
                    ModelLoader.Checked checked = ModelLoader.check(model);
                    ShardedParameters parameters =
                            new ShardedParameters(checked, backend, dtype, stage, communicator, new HostArena())) {
                double share = stage == ZeroStage.NOTHING ? 1 : 1.0 / ranks;
                double expected = PARAMETERS * (whole + cut * share);
                assertTrue(parameters.bytes() >= expected - cut * share * 128 - whole * 128, "less than its share");
                assertTrue(
                        parameters.bytes() <= PADDING * expected,
                        "%d bytes, a share is %.0f".formatted(parameters.bytes(), expected));
                long trained = parameters.trained().stream()
                        .mapToLong(t -> t.value().shape().elements())
                        .sum();
                assertTrue(trained <= PADDING * PARAMETERS * share, trained + " elements to update");
                double all = communicator.sum(trained)[0];
                assertEquals(stage == ZeroStage.NOTHING ? ranks * PARAMETERS : PARAMETERS, all);
            }
        });
    }

    @Test
    void aModelThatIsNotTrainedIsCutToo() {
        LocalRanks.run(4, Duration.ofSeconds(60), communicator -> {
            try (Backend backend = Backends.byName("cpu", 1);
                    FrozenParameters parameters =
                            new FrozenParameters(ModelLoader.check(model), backend, Optional.empty(), communicator)) {
                assertTrue(parameters.bytes() <= PADDING * 4 * PARAMETERS / 4, parameters.bytes() + " bytes");
            }
        });
    }
}
