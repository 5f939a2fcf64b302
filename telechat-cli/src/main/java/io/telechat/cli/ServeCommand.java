// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.tensor.DType;
import io.telechat.infer.CacheSize;
import io.telechat.infer.ChatModel;
import io.telechat.server.ServerOptions;
import io.telechat.server.TelechatServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code telechat serve}. */
@Command(
        name = "serve",
        description = "Serve a model by the API of OpenAI, with a chat page beside it.",
        mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
    /** For as long as running answers take; a second signal ends them. */
    private static final Duration PATIENCE = Duration.ofDays(1);

    @Parameters(
            arity = "0..1",
            paramLabel = "DIR",
            description = "checkpoint directory (default: $TELECHAT_MODEL, or else the demonstration model)")
    private Optional<Path> directory = Optional.empty();

    @Option(names = "--host", paramLabel = "HOST", description = "address to listen on (default: 127.0.0.1)")
    private String host = "127.0.0.1";

    @Option(names = "--port", paramLabel = "N", description = "port to listen on; 0: any free one (default: 8000)")
    private int port = 8000;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "key that requests must have (others see it in the list of processes: prefer a file, or"
                    + " $TELECHAT_API_KEY)")
    private Optional<String> apiKey = Optional.empty();

    @Option(names = "--api-key-file", paramLabel = "FILE", description = "file of such keys, one per line")
    private Optional<Path> apiKeyFile = Optional.empty();

    @Option(names = "--insecure", description = "let other machines in without a key")
    private boolean insecure;

    @Option(
            names = "--allowed-host",
            paramLabel = "NAME",
            description = "name under which this server may be asked, besides this machine's own; may be given several"
                    + " times; *: any")
    private List<String> allowedHosts = new ArrayList<>();

    @Option(
            names = "--served-model-name",
            paramLabel = "NAME",
            description = "name of the model in requests (default: its directory's)")
    private Optional<String> servedModelName = Optional.empty();

    @Option(names = "--max-batch", paramLabel = "N", description = "answers that are computed at once (default: 16)")
    private int maxBatch = 16;

    @Option(
            names = "--max-queue",
            paramLabel = "N",
            description = "answers that wait for that, before more are refused (default: 256)")
    private int maxQueue = 256;

    @Option(
            names = "--kv-memory",
            paramLabel = "SIZE",
            converter = ByteSize.Converter.class,
            description = "memory for keys and values of all answers, such as 4GiB (default: what the weights leave of"
                    + " half the machine's)")
    private Optional<ByteSize> kvMemory = Optional.empty();

    @Option(
            names = "--max-body",
            paramLabel = "SIZE",
            converter = ByteSize.Converter.class,
            description = "largest request (default: 4MiB)")
    private ByteSize maxBody = new ByteSize(4 << 20);

    @Option(
            names = "--request-timeout",
            paramLabel = "SECONDS",
            description = "give up an answer that takes longer (default: never)")
    private Optional<Integer> requestTimeout = Optional.empty();

    @Option(
            names = "--max-thinking-tokens",
            paramLabel = "N",
            description =
                    "end the thoughts in front of an answer after so many tokens, where the model thinks; 0: none")
    private Optional<Integer> maxThinkingTokens = Optional.empty();

    @Option(names = "--no-web", description = "no chat page")
    private boolean noWeb;

    @Mixin
    private ServedModelOptions modelOptions;

    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        return modelOptions.run(spec, this::path, DType.BF16, RankWork.SERVICE, global, this::run);
    }

    private Path path() {
        return DemoModel.orGiven(directory.or(ModelOptions::fromEnvironment), global.quiet);
    }

    private int run() {
        requestTimeout.ifPresent(seconds -> Positive.check("--request-timeout", seconds));
        ServerOptions options = options();
        CountDownLatch stop = new CountDownLatch(1);
        modelOptions.rank().ifPresent(rank -> rank.onStop(Optional.of(stop::countDown)));
        boolean isRank = modelOptions.rank().isPresent();
        try (Interrupts _ = isRank ? Interrupts.none() : Interrupts.onFirst(stop::countDown, RankWork.ENDING);
                TelechatServer server = TelechatServer.start(options, VersionCommand.version(), this::load)) {
            System.out.println("listening on " + server.url());
            System.out.flush();
            stop.await();
            server.drain(PATIENCE);
            return ExitCode.OK;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
    }

    private ChatModel load() {
        CacheSize size =
                kvMemory.isPresent() ? new CacheSize.Bytes(kvMemory.get().bytes()) : new CacheSize.HalfOfMachine();
        return modelOptions.load(path(), global, options -> {
            maxThinkingTokens.ifPresent(options::maxThinkingTokens);
            return options.cacheSize(size).maxBatch(maxBatch).maxQueue(maxQueue);
        });
    }

    private ServerOptions options() {
        Optional<Path> given = directory.or(ModelOptions::fromEnvironment);
        String name = servedModelName.orElseGet(() -> given.map(
                        path -> path.toAbsolutePath().normalize().getFileName().toString())
                .orElse(DemoModel.NAME));
        return new ServerOptions(
                host,
                port,
                keys(),
                insecure,
                Set.copyOf(allowedHosts),
                name,
                modelOptions.adapterNames(),
                maxBody.bytes(),
                requestTimeout.map(Duration::ofSeconds),
                !noWeb);
    }

    private List<String> keys() {
        List<String> keys = new ArrayList<>();
        apiKey.or(() -> Optional.ofNullable(System.getenv("TELECHAT_API_KEY"))).ifPresent(keys::add);
        if (apiKeyFile.isPresent()) {
            Path file = apiKeyFile.get();
            try {
                List<String> lines = Files.readAllLines(file).stream()
                        .map(String::strip)
                        .filter(line -> !line.isEmpty())
                        .toList();
                if (lines.isEmpty()) {
                    throw new InvalidRequestException("%s: has no key", file);
                }
                keys.addAll(lines);
            } catch (IOException e) {
                throw new InvalidRequestException("%s: cannot be read: %s", file, IoReason.of(e));
            }
        }
        return keys;
    }
}
