// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.infer.ChatModel;
import io.telechat.infer.Context;
import io.telechat.infer.ModelInfo;
import io.telechat.infer.PassObserver;
import io.telechat.infer.sampling.Sampler;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat logits}. */
@Command(
        name = "logits",
        description = "Write what the model computes for token ids to a safetensors file.",
        mixinStandardHelpOptions = true)
final class LogitsCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DIR", description = "checkpoint directory (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "safetensors file to write")
    private Path out;

    @Option(
            names = "--hidden-states",
            description = "also write hidden.0 … hidden.L (inputs of the layers, then the last one's output) and"
                    + " final_hidden")
    private boolean hiddenStates;

    @Option(
            names = "--decode-steps",
            paramLabel = "N",
            description = "also generate N tokens greedily and write their logits")
    private int decodeSteps;

    @Mixin
    private TokenInput tokens;

    @Mixin
    private AdaptedModelOptions modelOptions;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        return modelOptions.run(
                spec, () -> ModelOptions.directory(directory), DType.F32, RankWork.INPUT, global, this::run);
    }

    private int run() {
        int[] ids = tokens.read();
        OutputFiles.check(out);
        try (ChatModel model = modelOptions.load(ModelOptions.directory(directory), DType.F32, global)) {
            check(model.info(), ids);
            try (SafetensorsWriter writer = SafetensorsWriter.create(out, entries(model.info(), ids.length));
                    Context context = model.newContext()) {
                for (int i = 0; i < ids.length; i++) {
                    setLong(writer.tensor("input_ids"), i, ids[i]);
                }
                model.observe(ids, context, new Recorder(writer));
                if (decodeSteps > 0) {
                    decode(model, context, writer, ids.length);
                }
                writer.commit();
            }
            modelOptions.report(model);
        }
        return ExitCode.OK;
    }

    private void check(ModelInfo model, int[] ids) {
        for (int id : ids) {
            if (id < 0 || id >= model.vocabSize()) {
                throw new InvalidRequestException("token id %d is not in the vocabulary of %,d", id, model.vocabSize());
            }
        }
        if (decodeSteps < 0) {
            throw new InvalidRequestException("decode steps is %d, must be 0 or more", decodeSteps);
        }
        if (decodeSteps > 0 && (long) ids.length + decodeSteps > model.maxContextLength()) {
            throw new InvalidRequestException(
                    "%d tokens and %d steps are beyond this model's context of %,d",
                    ids.length, decodeSteps, model.maxContextLength());
        }
    }

    private Map<String, SafetensorsWriter.Entry> entries(ModelInfo model, int count) {
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        entries.put("input_ids", new SafetensorsWriter.Entry(DType.I64, Shape.of(count)));
        entries.put("logits", new SafetensorsWriter.Entry(DType.F32, Shape.of(count, model.vocabSize())));
        if (hiddenStates) {
            for (int i = 0; i <= model.layers(); i++) {
                entries.put("hidden." + i, new SafetensorsWriter.Entry(DType.F32, Shape.of(count, model.hidden())));
            }
            entries.put("final_hidden", new SafetensorsWriter.Entry(DType.F32, Shape.of(count, model.hidden())));
        }
        if (decodeSteps > 0) {
            entries.put("greedy_ids", new SafetensorsWriter.Entry(DType.I64, Shape.of(decodeSteps + 1)));
            entries.put(
                    "decode_logits", new SafetensorsWriter.Entry(DType.F32, Shape.of(decodeSteps, model.vocabSize())));
        }
        return entries;
    }

    private void decode(ChatModel model, Context context, SafetensorsWriter writer, int count) {
        Tensor logits = writer.tensor("logits");
        int id = Sampler.argmax(logits.rows(count - 1, count).toFloats());
        setLong(writer.tensor("greedy_ids"), 0, id);
        for (int step = 0; step < decodeSteps; step++) {
            float[] row = model.logits(new int[] {id}, context);
            writer.tensor("decode_logits").rows(step, step + 1).setFloats(row);
            id = Sampler.argmax(row);
            setLong(writer.tensor("greedy_ids"), step + 1, id);
        }
    }

    private static void setLong(Tensor tensor, long index, long value) {
        tensor.segment().set(ValueLayout.JAVA_LONG_UNALIGNED, 8 * index, value);
    }

    /** Copies what passes by into the file. */
    private record Recorder(SafetensorsWriter writer) implements PassObserver {
        @Override
        public void hidden(int firstRow, int layer, Tensor hidden) {
            copy("hidden." + layer, firstRow, hidden);
        }

        @Override
        public void normed(int firstRow, Tensor hidden) {
            copy("final_hidden", firstRow, hidden);
        }

        @Override
        public void logits(int firstRow, Tensor logits) {
            copy("logits", firstRow, logits);
        }

        private void copy(String name, int firstRow, Tensor from) {
            Tensor to = writer.tensor(name);
            if (to != null) {
                MemorySegment.copy(from.segment(), 0, to.segment(), 4L * firstRow * from.columns(), from.bytes());
            }
        }
    }
}
