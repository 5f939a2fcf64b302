// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.Backend;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.Goldens;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits, hidden states and cached greedy decode of every golden model, on a backend, against the makers' Python. */
public abstract class GoldenModelContract {
    protected abstract Backend backend();

    static Stream<Arguments> models() throws IOException {
        return Goldens.models().stream().map(model -> Arguments.of(model.getFileName(), model));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void matchesTheReference(Path name, Path directory) {
        double tolerance =
                name.toString().contains("long") ? 1e-3 : name.toString().contains("7b") ? 3e-4 : 1e-4;
        try (Arena arena = Arena.ofConfined();
                CausalLm model = ModelLoader.load(ModelLoader.check(directory), backend(), LoadProgress.SILENT)) {
            SafetensorsFile expected = SafetensorsFile.open(directory.resolve("expected.safetensors"), arena);
            List<String> prefixes = expected.tensors().keySet().stream()
                    .filter(key -> key.endsWith("input_ids") && !key.startsWith("pad_"))
                    .map(key -> key.substring(0, key.length() - "input_ids".length()))
                    .toList();
            assertTrue(!prefixes.isEmpty());
            for (String prefix : prefixes) {
                new Run(model, expected, prefix, tolerance).check();
            }
        }
    }

    /** One prompt of one model. */
    private record Run(CausalLm model, SafetensorsFile expected, String prefix, double tolerance) {
        void check() {
            int[] ids = ints("input_ids");
            Map<String, float[]> got = new HashMap<>();
            try (TensorArena arena = model.backend().memory().newArena();
                    KvCache cache = model.newCache(DType.F32)) {
                Tensor hidden = feed(ids, cache, arena, got);
                Tensor logits =
                        arena.allocate(DType.F32, ids.length, model.config().vocabSize());
                model.logits(hidden, 0, (int) hidden.rows(), logits);
                got.put("final_hidden", host(hidden));
                got.put("logits", host(logits));
                for (Map.Entry<String, float[]> entry : got.entrySet()) {
                    if (expected.tensors().containsKey(prefix + entry.getKey())) {
                        assertNear(entry.getKey(), floats(entry.getKey()), entry.getValue(), 0);
                    }
                }
                if (expected.tensors().containsKey(prefix + "decode_logits")) {
                    checkDecode(cache, arena, lastRow(got.get("logits")));
                }
            }
        }

        private Tensor feed(int[] ids, KvCache cache, TensorArena arena, Map<String, float[]> got) {
            RopeScaling scaling = model.beginCall(cache, ids.length);
            Activations activations = Activations.allocate(model.config(), ids.length, arena);
            Batch batch = Batch.of(ids, cache, model.ropeTable(scaling, cache.length(), ids.length));
            return model.forward(batch, activations, (layer, h) -> got.put("hidden." + layer, host(h)));
        }

        private void checkDecode(KvCache cache, TensorArena arena, float[] last) {
            int[] greedy = ints("greedy_ids");
            float[] expectedLogits = floats("decode_logits");
            Tensor logits = arena.allocate(DType.F32, 1, model.config().vocabSize());
            for (int step = 0; step < greedy.length; step++) {
                assertEquals(greedy[step], argmax(last), "greedy id of step " + step);
                if (step < greedy.length - 1) {
                    Tensor hidden = feed(new int[] {greedy[step]}, cache, arena, new HashMap<>());
                    model.logits(hidden, 0, 1, logits);
                    last = host(logits);
                    assertNear("decode step " + step, expectedLogits, last, step * last.length);
                }
            }
        }

        private float[] lastRow(float[] logits) {
            int vocabulary = model.config().vocabSize();
            return Arrays.copyOfRange(logits, logits.length - vocabulary, logits.length);
        }

        private static int argmax(float[] logits) {
            int best = 0;
            for (int i = 1; i < logits.length; i++) {
                best = logits[i] > logits[best] ? i : best;
            }
            return best;
        }

        private float[] host(Tensor tensor) {
            return model.backend().memory().toHost(tensor).toFloats();
        }

        private float[] floats(String name) {
            return expected.tensor(prefix + name).toFloats();
        }

        private int[] ints(String name) {
            Tensor tensor = expected.tensor(prefix + name);
            int[] values = new int[(int) tensor.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (int) tensor.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
            }
            return values;
        }

        private void assertNear(String what, float[] expectedValues, float[] values, int offset) {
            for (int i = 0; i < values.length; i++) {
                assertEquals(expectedValues[offset + i], values[i], tolerance, prefix + what + " at " + i);
            }
        }
    }
}
