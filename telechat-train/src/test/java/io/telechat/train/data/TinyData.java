// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.SystemMessages;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.core.weights.LoadProgress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Small inputs of the pipeline, made on the spot: tokenizers of bytes, files of lines, and options that tests vary. */
final class TinyData {
    private final Path directory;
    private final Path mix;
    private Path tokenizer;
    private Path output;
    private int rowTokens = 64;
    private OptionalInt samples = OptionalInt.empty();
    private int shards = 1;
    private long seed = 42;
    private DataRecipe recipe = DataRecipe.BEST_FIT;
    private boolean trainAllAnswers;
    private LongDialogs longDialogs = LongDialogs.DROP;
    private long maxErrors;
    private long memoryBytes = 1 << 20;
    private int ranks = 1;
    private int threads = 1;
    private boolean overwrite;

    /** With the 12B's chat format; without files. */
    TinyData(Path directory) throws IOException {
        this.directory = directory;
        this.mix = directory.resolve("mix.json");
        this.tokenizer = tokenizer("12b", UnaryOperator.identity());
        this.output = directory.resolve("out");
    }

    private Path tokenizer(String name, UnaryOperator<Piece> change) throws IOException {
        Path made = Files.createDirectories(directory.resolve(name));
        SentencePieceWriter.write(
                made.resolve("tokenizer.model"),
                SentencePieceWriter.byteVocabulary().stream().map(change).toList());
        return made;
    }

    /** A vocabulary without role marks, as the 52B's. */
    TinyData format52b() throws IOException {
        return tokenizer(tokenizer("52b", piece -> switch (piece.text()) {
            case "<_unk>" -> new Piece("<unk>", 0, piece.type());
            case "<_start>" -> new Piece("<s>", 0, piece.type());
            case "<_end>" -> new Piece("</s>", 0, piece.type());
            case "<_pad>" -> new Piece("<pad>", 0, piece.type());
            case "<_user>", "<_bot>", "<_system>" ->
                new Piece("x" + piece.text().length(), -9, Piece.Type.NORMAL);
            default -> piece;
        }));
    }

    /** A vocabulary whose role marks are not found in text, as TeleChat2's. */
    TinyData formatTeleChat2() throws IOException {
        return tokenizer(tokenizer(
                "telechat2",
                piece -> piece.type() == Piece.Type.USER_DEFINED
                        ? new Piece(piece.text(), 0, Piece.Type.CONTROL)
                        : piece));
    }

    /** A line of the reference's form. */
    static String line(String input, String output) {
        return "{\"input\": \"%s\", \"output\": \"%s\"}".formatted(input, output);
    }

    /** A line for each number, with a question and an answer of about 3 to 20 letters. */
    static String[] numbered(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> line("q" + i + "x".repeat(i * 7 % 13), "a" + i + "y".repeat(i * 5 % 17)))
                .toArray(String[]::new);
    }

    TinyData file(String name, String... lines) throws IOException {
        Files.writeString(directory.resolve(name), String.join("\n", lines) + "\n");
        return this;
    }

    TinyData mix(String json) throws IOException {
        Files.writeString(mix, json);
        return this;
    }

    /** One file of weight 1. */
    TinyData lines(String... lines) throws IOException {
        return file("lines.jsonl", lines).mix("{\"lines.jsonl\": 1}");
    }

    TinyData output(String name) {
        output = directory.resolve(name);
        return this;
    }

    TinyData tokenizer(Path value) {
        tokenizer = value;
        return this;
    }

    TinyData rowTokens(int value) {
        rowTokens = value;
        return this;
    }

    TinyData shards(int value) {
        shards = value;
        return this;
    }

    TinyData seed(long value) {
        seed = value;
        return this;
    }

    TinyData recipe(DataRecipe value) {
        recipe = value;
        return this;
    }

    TinyData longDialogs(LongDialogs value) {
        longDialogs = value;
        return this;
    }

    TinyData maxErrors(long value) {
        maxErrors = value;
        return this;
    }

    TinyData memoryBytes(long value) {
        memoryBytes = value;
        return this;
    }

    TinyData threads(int value) {
        threads = value;
        return this;
    }

    TinyData ranks(int value) {
        ranks = value;
        return this;
    }

    TinyData samples(int value) {
        samples = OptionalInt.of(value);
        return this;
    }

    TinyData trainAllAnswers() {
        trainAllAnswers = true;
        return this;
    }

    TinyData overwrite() {
        overwrite = true;
        return this;
    }

    Optional<DataReport> run() {
        AtomicReference<Optional<DataReport>> report = new AtomicReference<>();
        LocalRanks.run(ranks, Duration.ofSeconds(60), group -> {
            Optional<DataReport> made = run(group);
            if (group.rank() == 0) {
                report.set(made);
            }
        });
        return report.get();
    }

    /** On one rank of several. */
    Optional<DataReport> run(Communicator group) {
        DataOptions options = new DataOptions(
                mix,
                DataFormat.AUTO,
                tokenizer,
                output,
                rowTokens,
                samples,
                shards,
                seed,
                recipe,
                trainAllAnswers,
                SystemMessages.FOLD,
                longDialogs,
                maxErrors,
                Optional.empty(),
                memoryBytes,
                threads,
                overwrite);
        return new DataProcessor(options, LoadProgress.SILENT, group).run();
    }

    DataReport report() {
        return run().orElseThrow();
    }

    /** Runs, and reads what was made. */
    List<TrainingData.Sample> make() {
        report();
        return read();
    }

    List<TrainingData.Sample> read() {
        try (TrainingData data = TrainingData.open(output)) {
            return IntStream.range(0, data.samples()).mapToObj(data::sample).toList();
        }
    }

    /** Runs, and reads a file of the output. */
    byte[] bytes(String name) throws IOException {
        report();
        return Files.readAllBytes(outputFile(name));
    }

    ChatTokenizer chatTokenizer() {
        return ChatTokenizer.load(tokenizer);
    }

    /** Names of what lies in the output, hidden files included; none where there is no such directory. */
    List<String> outputFiles() throws IOException {
        if (!Files.exists(output)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(output)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    Path outputFile(String name) {
        return output.resolve(name);
    }

    /** The dialogs of samples: what stands between the borders of sequences, padding left out. */
    static List<EncodedDialog> dialogs(List<TrainingData.Sample> samples) {
        List<EncodedDialog> dialogs = new ArrayList<>();
        for (TrainingData.Sample sample : samples) {
            int[] sequences = sample.sequences();
            for (int from = 0; from < sequences.length; ) {
                int to = from + 1;
                while (to < sequences.length && sequences[to] == sequences[from]) {
                    to++;
                }
                if (sequences[from] != 0) {
                    dialogs.add(new EncodedDialog(
                            Arrays.copyOfRange(sample.ids(), from, to), Arrays.copyOfRange(sample.mask(), from, to)));
                }
                from = to;
            }
        }
        return dialogs;
    }

    /** Dialogs as text, what is trained in brackets, in order of their text. */
    List<String> texts(List<TrainingData.Sample> samples) {
        return dialogs(samples).stream().map(this::text).sorted().toList();
    }

    private String text(EncodedDialog dialog) {
        ChatTokenizer chat = chatTokenizer();
        StringBuilder text = new StringBuilder();
        for (int from = 0; from < dialog.length(); ) {
            int to = from + 1;
            while (to < dialog.length() && dialog.mask()[to] == dialog.mask()[from]) {
                to++;
            }
            String part = chat.tokenizer().decode(Arrays.copyOfRange(dialog.ids(), from, to));
            text.append(dialog.mask()[from] == 0 ? part : "[" + part + "]");
            from = to;
        }
        return text.toString();
    }
}
