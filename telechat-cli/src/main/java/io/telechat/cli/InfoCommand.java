// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.Message;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.ModelLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat info}. */
@Command(
        name = "info",
        description =
                "What a checkpoint is: architecture, sizes, files, memory needed, tokenizer and chat format, defaults.",
        mixinStandardHelpOptions = true)
final class InfoCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DIR", description = "checkpoint directory (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        Path model = ModelOptions.directory(directory);
        try (ModelLoader.Checked checked = ModelLoader.check(model)) {
            ModelConfig config = checked.config();
            Checkpoint checkpoint = checked.checkpoint();
            Map<String, Integer> dtypes = new TreeMap<>();
            checkpoint
                    .names()
                    .forEach(name -> dtypes.merge(checkpoint.dtype(name).name(), 1, Integer::sum));
            MemoryPlan plan = MemoryPlan.of(config, checkpoint.bytes(), DType.F32, config.contextLength());
            ObjectNode info = Json.object();
            info.put("architecture", config.architecture().name());
            info.put("parameters", config.parameters());
            info.put("layers", config.layers());
            info.put("hidden", config.hidden());
            info.put("ffn", config.ffn());
            info.put("heads", config.heads().heads());
            info.put("kv_heads", config.heads().kvHeads());
            info.put("vocabulary", config.vocabSize());
            info.put("tied_head", config.tiedHead());
            info.put("context_length", config.contextLength());
            info.put("files", checkpoint.files().size());
            ObjectNode types = info.putObject("tensors");
            dtypes.forEach(types::put);
            info.put("weight_bytes", checkpoint.bytes());
            info.put("cache_bytes_per_token", plan.cachePerToken());
            info.put("memory_needed", plan.total());
            info.put("memory_of_machine", MemoryPlan.machineMemory());
            addTokenizer(info, model);
            addGeneration(info, ModelFiles.of(model));
            if (json) {
                System.out.println(info);
            } else {
                print(info);
            }
        }
        return ExitCode.OK;
    }

    private static void addTokenizer(ObjectNode info, Path model) {
        Optional<Path> file = ChatTokenizer.file(model);
        if (file.isEmpty()) {
            info.put("tokenizer", "none");
            return;
        }
        ChatTokenizer tokenizer = ChatTokenizer.load(model);
        info.put(
                "tokenizer",
                "%s, %,d pieces"
                        .formatted(
                                file.get().getFileName(), tokenizer.tokenizer().size()));
        Optional<Message> whyNone = tokenizer.template().whyNone();
        if (whyNone.isPresent()) {
            info.put("chat_format", "none: " + whyNone.get());
            return;
        }
        int[] question = tokenizer.prompt(List.of(ChatMessage.user("Hello")), MarkerPolicy.ESCAPE);
        info.put(
                "chat_format",
                IntStream.of(question)
                        .mapToObj(tokenizer.tokenizer()::piece)
                        .collect(Collectors.joining())
                        .replace("\n", "\\n"));
        info.put(
                "system_messages",
                tokenizer.template().hasSystem() ? "yes" : "no place for them; see chat --system-messages");
        info.put("tools", tokenizer.tools().isPresent() ? "yes" : "no");
    }

    /** What the checkpoint asks for where the command line does not. */
    private static void addGeneration(ObjectNode info, ModelFiles files) {
        if (files.has("generation_config.json")) {
            ObjectNode defaults = info.putObject("generation_defaults");
            files.json("generation_config.json").properties().stream()
                    .filter(field ->
                            !field.getKey().startsWith("_") && !field.getKey().contains("version"))
                    .forEach(field -> defaults.set(field.getKey(), field.getValue()));
        }
    }

    private static void print(ObjectNode info) {
        info.properties().forEach(field -> {
            boolean bytes = field.getKey().contains("bytes") || field.getKey().startsWith("memory");
            String value = bytes
                    ? MemoryPlan.gib(field.getValue().asLong())
                    : field.getValue().isNumber()
                            ? "%,d".formatted(field.getValue().asLong())
                            : field.getValue().isTextual()
                                    ? field.getValue().asText()
                                    : field.getValue()
                                            .toString()
                                            .replaceAll("[{}\"]", "")
                                            .replace(":", " ")
                                            .replace(",", ", ");
            System.out.printf("%-22s %s%n", field.getKey().replace('_', ' '), value);
        });
    }
}
