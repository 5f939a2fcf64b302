// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.tensor.Tensor;
import io.telechat.train.data.TrainingData;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Three updates that the makers' Python did with one kind of loss.
 *
 * @param golden directory with the model that they begin with
 * @param kind {@code masked} or {@code plain}
 * @param facts case.json
 * @param expected expected.safetensors
 */
record GoldenRun(Path golden, String kind, JsonNode facts, SafetensorsFile expected) {
    /** The same run, to be done by us. */
    TinyRun on(TinyRun run) throws IOException {
        int microBatch = (int) expected.tensor("input_ids").shape().dim(1);
        return run.model(golden)
                .data(TinySamples.write(run.output().resolve("data"), samples()))
                .batch(microBatch, facts.get("gradient_accumulation_steps").asInt())
                .sequential()
                .objective(kind.equals("masked"), false, false)
                .optimizer(new AdamW.Settings(
                        facts.at("/betas/0").asDouble(),
                        facts.at("/betas/1").asDouble(),
                        facts.get("eps").asDouble(),
                        facts.get("weight_decay").asDouble(),
                        MomentType.F32,
                        Optional.empty()))
                .rate(new TrainConfig.Rate(
                        facts.get("base_lr").asDouble(),
                        "cosine",
                        OptionalLong.of(facts.get("warmup_steps").asLong()),
                        0,
                        OptionalLong.of(facts.get("total_steps").asLong()),
                        facts.get("clip_norm").asDouble()))
                .maxSteps(3);
    }

    private List<TrainingData.Sample> samples() {
        int tokens = (int) expected.tensor("input_ids").shape().dim(2);
        int[] ids = ints("input_ids");
        int[] mask = ints("loss_mask");
        List<TrainingData.Sample> samples = new ArrayList<>();
        for (int from = 0; from < ids.length; from += tokens) {
            byte[] rowMask = new byte[tokens];
            for (int i = 0; i < tokens; i++) {
                rowMask[i] = (byte) mask[from + i];
            }
            int[] one = new int[tokens];
            Arrays.fill(one, 1);
            samples.add(new TrainingData.Sample(Arrays.copyOfRange(ids, from, from + tokens), rowMask, one));
        }
        return samples;
    }

    private int[] ints(String name) {
        Tensor tensor = expected.tensor(name);
        int[] values = new int[(int) tensor.shape().elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (int) tensor.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
        }
        return values;
    }

    void checkNumbers(List<StepReport> steps) {
        checkNumbers(steps, 1e-5, 1e-4);
    }

    /**
     * @param ofLoss how far losses may be off
     * @param ofNorm how far norms may be off, of their size
     */
    void checkNumbers(List<StepReport> steps, double ofLoss, double ofNorm) {
        JsonNode run = facts.at("/runs/" + kind);
        assertEquals(3, steps.size());
        for (int i = 0; i < 3; i++) {
            double loss = 0;
            for (JsonNode microBatch : run.get("losses").get(i)) {
                loss += microBatch.asDouble() / run.get("losses").get(i).size();
            }
            double norm = run.get("grad_norms_before_clip").get(i).asDouble();
            assertEquals(loss, steps.get(i).loss(), ofLoss, "loss of update " + i);
            assertEquals(run.get("lrs").get(i).asDouble(), steps.get(i).rate(), 1e-12, "rate of update " + i);
            assertEquals(norm, steps.get(i).gradientNorm(), ofNorm * norm, "norm of update " + i);
        }
    }

    /**
     * Of the first update.
     *
     * @param name of the parameter in the golden data
     * @param values in the order of the golden data
     */
    void checkGradient(String name, float[] values) {
        float[] wanted = floats("%s.grad.%s".formatted(kind, name), values.length);
        for (int i = 0; i < values.length; i++) {
            assertEquals(wanted[i], values[i], 1e-5 + 1e-4 * Math.abs(wanted[i]), name + " at " + i);
        }
    }

    /**
     * Of the first update, as a whole.
     *
     * @param share of its length that the gradient may be off
     */
    void checkGradientDirection(String name, float[] values, double share) {
        float[] wanted = floats("%s.grad.%s".formatted(kind, name), values.length);
        double length = 0;
        double off = 0;
        for (int i = 0; i < values.length; i++) {
            length += (double) wanted[i] * wanted[i];
            off += Math.pow(wanted[i] - values[i], 2);
        }
        assertEquals(0, Math.sqrt(off), share * Math.sqrt(length) + 1e-7, name);
    }

    /**
     * How many elements of a parameter are off. Where a gradient is nearly 0, AdamW turns its error into lr/eps times as much:
     * hence few may be, a little.
     *
     * @param values behind update {@code step}, in the order of the golden data
     */
    long far(long step, String name, float[] values) {
        String key = "%s.step%d.%s".formatted(kind, step, name);
        float[] wanted = floats(key, values.length);
        long far = 0;
        for (int i = 0; i < values.length; i++) {
            assertEquals(wanted[i], values[i], 1e-4, key + " at " + i);
            far += Math.abs(wanted[i] - values[i]) > 2e-5 ? 1 : 0;
        }
        return far;
    }

    private float[] floats(String key, int count) {
        float[] values = expected.tensor(key).toFloats();
        assertEquals(count, values.length, key);
        return values;
    }

    /** The elements of a matrix [rows, columns], column by column. */
    static float[] transposed(float[] values, int rows, int columns) {
        float[] turned = new float[values.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                turned[c * rows + r] = values[r * columns + c];
            }
        }
        return turned;
    }
}
