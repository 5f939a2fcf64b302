// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Makes training samples of weighted dialogs: reads, encodes, mixes, packs, writes. Same seed and inputs give the same
 * bytes, whatever the number of threads. The output appears at once and whole, with its manifest.
 */
public final class DataProcessor {
    /** What chat templates that write down the day take for it: the same data gives the same samples on every day. */
    private static final Clock NO_DAY = Clock.fixed(Instant.parse("2024-07-26T00:00:00Z"), ZoneOffset.UTC);

    private final DataOptions options;
    private final LoadProgress progress;
    private final Communicator ranks;

    /**
     * On one rank.
     *
     * @throws InvalidRequestException if an option makes no sense
     */
    public DataProcessor(DataOptions options, LoadProgress progress) {
        this(options, progress, LocalRanks.alone());
    }

    /**
     * @param ranks that share the encoding; the first one does everything else
     * @throws InvalidRequestException if an option makes no sense
     */
    public DataProcessor(DataOptions options, LoadProgress progress, Communicator ranks) {
        if (options.capacity() < 2 || options.rowTokens() > 1 << 22) {
            throw new InvalidRequestException(
                    "--max-seq-len %,d: choose one from %d to %,d",
                    options.rowTokens(), ReferencePacking.FREE + 2, 1 << 22);
        }
        if (options.samples().isPresent() && options.samples().getAsInt() < options.shards()) {
            throw new InvalidRequestException(
                    "--num-samples %,d is less than --num-workers %,d: some files would be empty",
                    options.samples().getAsInt(), options.shards());
        }
        if (options.maxErrors() < 0) {
            throw new InvalidRequestException("--max-errors %d: must be at least 0", options.maxErrors());
        }
        this.options = options;
        this.progress = progress;
        this.ranks = ranks;
    }

    /**
     * @return what was made; nothing if the output is there already, made of the same inputs with the same options, or if this is not
     *     the first rank
     * @throws InvalidModelException if an input is missing or bad, no dialog is usable, or the output cannot be written
     */
    public Optional<DataReport> run() {
        DataMix mix = DataMix.read(options.mix(), options.format());
        if (mix.stages().size() > 1 && options.samples().isEmpty()) {
            throw new InvalidRequestException(
                    "a curriculum needs --num-samples, of which its stages have their shares");
        }
        ChatTokenizer tokenizer = tokenizer();
        DataOutput directory = new DataOutput(options, mix);
        try {
            try (WorkerTeam team = new WorkerTeam(options.threads())) {
                InputHashes hashes = new InputHashes();
                DialogEncoder encoder = encoder(tokenizer);
                if (ranks.rank() > 0) {
                    help(mix, encoder, team);
                    return Optional.empty();
                }
                boolean done = directory.isDone(hashes, team);
                meet(done);
                return done ? Optional.empty() : Optional.of(process(mix, tokenizer, encoder, hashes, team));
            }
        } catch (IOException e) {
            throw directory.unwritable(e);
        } catch (UncheckedIOException e) {
            throw directory.unwritable(e.getCause());
        }
    }

    private ChatTokenizer tokenizer() {
        Path directory = options.tokenizer();
        if (ChatTokenizer.file(directory).isEmpty()) {
            throw new InvalidModelException(
                    "--tokenizer-path %s: there is no tokenizer.model, tokenizer.json or qwen.tiktoken; it is a model's"
                            + " directory, as a rule",
                    directory);
        }
        return ChatTokenizer.load(directory, NO_DAY);
    }

    /** @throws InvalidModelException if the tokenizer is of another architecture than the recipe */
    private DialogEncoder encoder(ChatTokenizer tokenizer) {
        return switch (options.recipe()) {
            case BEST_FIT ->
                new ChatEncoder(
                        tokenizer,
                        options.trainAllAnswers(),
                        options.systemMessages(),
                        options.longDialogs(),
                        options.capacity());
            case REFERENCE -> {
                if (tokenizer.template().stopStrings().isEmpty()) {
                    throw new InvalidModelException(
                            "%s: --recipe reference is TeleChat-52B's, and this tokenizer is not; leave the option out",
                            options.tokenizer());
                }
                yield new ReferenceEncoder(tokenizer.tokenizer(), options.capacity());
            }
        };
    }

    /**
     * All ranks hear of the first one whether anything is to be done.
     *
     * @throws InvalidInputException if a rank would encode otherwise than the first
     */
    private boolean meet(boolean done) throws IOException {
        double[][] all = ranks.gather(
                done ? 1 : 0, TokenizerIdentity.hash(options.tokenizer()).hashCode());
        for (int r = 1; r < all.length; r++) {
            if (all[r][1] != all[0][1]) {
                throw new InvalidInputException("rank %d has another tokenizer than rank 0", r);
            }
        }
        return all[0][0] == 1;
    }

    /** What ranks other than the first do. */
    private void help(DataMix mix, DialogEncoder encoder, WorkerTeam team) throws IOException {
        if (meet(false)) {
            return; // there is nothing to do
        }
        LineErrors none = new LineErrors(mix.sources(), Long.MAX_VALUE, false);
        int firstSource = 0;
        for (DataMix.Stage stage : mix.stages()) {
            new LineEncoding(stage.sources(), encoder, team, ranks, none, new InputHashes(), firstSource).help();
            firstSource += stage.sources().size();
        }
    }

    private DataReport process(
            DataMix mix, ChatTokenizer tokenizer, DialogEncoder encoder, InputHashes hashes, WorkerTeam team)
            throws IOException {
        Path output = options.output();
        boolean made = Files.notExists(output);
        Files.createDirectories(output);
        try (TemporaryDirectory temporary = new TemporaryDirectory(output, "process-data")) {
            return process(mix, tokenizer, encoder, hashes, team, temporary.path());
        } finally {
            if (made && DataOutput.isEmpty(output)) {
                Files.delete(output);
            }
        }
    }

    private DataReport process(
            DataMix mix,
            ChatTokenizer tokenizer,
            DialogEncoder encoder,
            InputHashes hashes,
            WorkerTeam team,
            Path temporary)
            throws IOException {
        List<DataSource> sources = mix.sources();
        LineErrors errors =
                new LineErrors(sources, options.maxErrors(), options.rejects().isPresent());
        try {
            return process(mix, tokenizer, encoder, hashes, team, temporary, sources, errors);
        } finally {
            writeRejects(errors);
        }
    }

    /** Also where the run failed: then most of all. */
    private void writeRejects(LineErrors errors) {
        if (options.rejects().isPresent()) {
            Path file = options.rejects().get();
            Path unfinished = file.toAbsolutePath().resolveSibling("." + file.getFileName() + ".tmp");
            try {
                errors.write(unfinished);
                Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw new InvalidInputException(e, "--rejects %s: cannot be written: %s", file, IoReason.of(e));
            }
        }
    }

    private DataReport process(
            DataMix mix,
            ChatTokenizer tokenizer,
            DialogEncoder encoder,
            InputHashes hashes,
            WorkerTeam team,
            Path temporary,
            List<DataSource> sources,
            LineErrors errors)
            throws IOException {
        try (DialogStore store = new DialogStore(temporary);
                SampleRows rows =
                        new SampleRows(temporary.resolve("rows"), store, options.rowTokens(), sources.size())) {
            Recipe.Encodings encodings =
                    (inputs, first) -> new LineEncoding(inputs, encoder, team, ranks, errors, hashes, first);
            Recipe recipe = switch (options.recipe()) {
                case BEST_FIT -> new BestFitRecipe(options, encodings, temporary, store, errors);
                case REFERENCE -> new ReferenceRecipe(options, encodings, store, errors);
            };
            List<Recipe.Outcome> outcomes = new ArrayList<>();
            int firstSource = 0;
            double shares = 0;
            for (DataMix.Stage stage : mix.stages()) {
                shares += stage.share();
                OptionalInt wanted = options.samples().isEmpty()
                        ? OptionalInt.empty()
                        : OptionalInt.of(
                                (int) Math.round(shares * options.samples().getAsInt()) - rows.size());
                outcomes.add(recipe.fill(stage, wanted, rows, firstSource, progress));
                firstSource += stage.sources().size();
            }
            if (rows.size() == 0) {
                throw errors.first()
                        .map(first -> new InvalidInputException(
                                "%s: no line is usable; the first is %s", options.mix(), first))
                        .orElseGet(() ->
                                new InvalidInputException("%s: the weights left no line; raise them", options.mix()));
            }
            DataReport report = report(mix, outcomes, rows, errors);
            List<ShardWriter.Shard> shards =
                    new ShardWriter(temporary, tokenizer.padId(), team).write(rows, options.shards());
            ObjectNode identity = new DataOutput(options, mix).identity(hashes);
            new DataOutput(options, mix)
                    .publish(
                            temporary,
                            DataManifest.write(
                                    temporary, identity, options.tokenizer(), tokenizer.padId(), report, shards));
            return report;
        }
    }

    private DataReport report(DataMix mix, List<Recipe.Outcome> outcomes, SampleRows rows, LineErrors errors) {
        List<DataReport.Source> sources = new ArrayList<>();
        long tokens = 0;
        long trained = 0;
        for (int stage = 0; stage < outcomes.size(); stage++) {
            Recipe.Outcome outcome = outcomes.get(stage);
            List<DataSource> inputs = mix.stages().get(stage).sources();
            for (int i = 0; i < inputs.size(); i++) {
                SampleRows.SampleCounts counts = rows.counts(sources.size());
                tokens += counts.tokens;
                trained += counts.trained;
                sources.add(new DataReport.Source(
                        stage + 1,
                        inputs.get(i).name(),
                        inputs.get(i).weight(),
                        outcome.encoding().lines(i),
                        counts.dialogs,
                        counts.tokens,
                        counts.trained,
                        outcome.tooLong()[i],
                        errors.counts(sources.size())));
            }
        }
        return new DataReport(
                rows.size(),
                tokens,
                trained,
                (double) tokens / rows.size() / options.rowTokens(),
                referenceFillRate(outcomes),
                outcomes.stream().mapToInt(Recipe.Outcome::rounds).max().orElse(1),
                sources);
    }

    private static double referenceFillRate(List<Recipe.Outcome> outcomes) {
        double filled = 0;
        long rows = 0;
        for (Recipe.Outcome outcome : outcomes) {
            filled += outcome.referenceFillRate() * outcome.rows();
            rows += outcome.rows();
        }
        return filled / rows;
    }
}
