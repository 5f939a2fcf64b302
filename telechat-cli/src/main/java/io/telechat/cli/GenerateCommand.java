// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.DType;
import io.telechat.infer.ChatModel;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat generate}. */
@Command(
        name = "generate",
        description = "Continue a text or token ids, without any chat format.",
        mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "DIR", description = "checkpoint directory (default: $TELECHAT_MODEL)")
    private Optional<Path> directory = Optional.empty();

    @Option(
            names = {"-p", "--prompt"},
            paramLabel = "TEXT",
            description = "text to continue; - for stdin")
    private Optional<String> prompt = Optional.empty();

    @Option(names = "--stats", description = "say on stderr how fast it came")
    private boolean stats;

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private TokenInput tokens;

    @Mixin
    private GenerationFlags flags;

    @Mixin
    private AdaptedModelOptions modelOptions;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        return modelOptions.run(
                spec, () -> ModelOptions.directory(directory), DType.BF16, RankWork.INPUT, global, this::run);
    }

    private int run() {
        if (prompt.isPresent() == tokens.isGiven()) {
            throw new InvalidRequestException("give either --prompt TEXT or --tokens 1,2,3");
        }
        Optional<String> text = prompt.map(p -> p.equals("-") ? StandardStreams.readInput() : p);
        if (text.isPresent() && text.get().isEmpty()) {
            throw new InvalidRequestException("the prompt is empty: there is nothing to continue");
        }
        Optional<int[]> given = text.isPresent() ? Optional.empty() : Optional.of(tokens.read());
        try (ChatModel model = modelOptions.load(ModelOptions.directory(directory), global)) {
            GenerationOptions options = flags.over(model);
            int[] ids = given.orElseGet(() -> model.chatTokenizer().document(text.get()));
            Cancellation stop = new Cancellation();
            Generation generation = model.generate(
                    ids,
                    options,
                    event -> {
                        if (!json) {
                            System.out.print(model.hasTokenizer() ? event.text() : event.id() + " ");
                            if (System.out.checkError()) {
                                stop.cancel(); // nobody reads on
                            }
                        }
                    },
                    stop);
            System.out.println(json ? Json.line(Json.generation(generation, options.seed())) : "");
            if (stats) {
                System.err.println(generation.summary());
            }
            modelOptions.report(model);
            return ExitCode.OK;
        }
    }
}
