// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.DirectoryTree;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.eval.EvalSettings;
import io.telechat.eval.Evaluation;
import io.telechat.eval.Tasks;
import io.telechat.eval.model.LocalModel;
import io.telechat.eval.model.PromptForm;
import io.telechat.eval.report.Comparison;
import io.telechat.eval.task.Style;
import io.telechat.eval.task.Task;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** What a change of a model costs in scores of benchmarks. */
final class TaskScoresOptions {
    private static final int BATCH = 32;

    @Option(
            names = "--eval",
            paramLabel = "NAME,…",
            split = ",",
            description = "compare the scores of both models in these benchmarks (see eval --tasks)")
    private List<String> tasks = new ArrayList<>();

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "with --eval: a folder for each benchmark, as its makers publish it")
    private Optional<Path> data = Optional.empty();

    @Option(
            names = "--num-fewshot",
            paramLabel = "N",
            description = "with --eval: solved examples before each question (default: as many as are usual)")
    private Optional<Integer> shots = Optional.empty();

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "with --eval: documents of each subtask at most, from the first")
    private Optional<Integer> limit = Optional.empty();

    @Option(
            names = "--eval-out",
            paramLabel = "DIR",
            description = "with --eval: keep both runs there, in before and after, and a page that compares them")
    private Optional<Path> kept = Optional.empty();

    /** Whether scores are wanted; if so, that they can be had is found out now. */
    boolean check() {
        if (tasks.isEmpty()) {
            return false;
        }
        limit.ifPresent(n -> Positive.check("--limit", n));
        Evaluation evaluation = evaluation();
        Tasks.find(tasks, Style.LM_EVAL).forEach(task -> evaluation.load(task, new ArrayList<>()));
        return true;
    }

    private Evaluation evaluation() {
        boolean published = tasks.stream().anyMatch(name -> !Tasks.isFile(name));
        if (published && data.isEmpty()) {
            throw new InvalidRequestException("where are the benchmarks' files? --data-dir DIR names their folder");
        }
        return new Evaluation(
                new EvalSettings(
                        Style.LM_EVAL,
                        data.orElse(Path.of("")),
                        shots.map(OptionalInt::of).orElse(OptionalInt.empty()),
                        limit.map(OptionalInt::of).orElse(OptionalInt.empty()),
                        PromptForm.PLAIN,
                        false),
                Optional.empty());
    }

    /** Runs the benchmarks on both, one after the other, and compares. */
    Comparison compare(Path before, Path after, LoadOptions.Builder options, boolean quiet) {
        try {
            Path folder = kept.isPresent() ? kept.get() : Files.createTempDirectory("telechat-eval");
            try {
                run(before, folder.resolve("before"), options, quiet);
                run(after, folder.resolve("after"), options, quiet);
                Comparison comparison = Comparison.of(folder.resolve("before"), folder.resolve("after"));
                if (kept.isPresent()) {
                    comparison.page().write(folder.resolve("comparison.html"));
                }
                return comparison;
            } finally {
                if (kept.isEmpty()) {
                    DirectoryTree.delete(folder);
                }
            }
        } catch (IOException e) {
            throw new InvalidInputException(e, "scores cannot be kept: %s", IoReason.of(e));
        }
    }

    private void run(Path directory, Path out, LoadOptions.Builder options, boolean quiet) {
        List<Task> found = Tasks.find(tasks, Style.LM_EVAL);
        ChatModel model =
                ChatModel.load(directory, LocalModel.inBatches(options, BATCH).build());
        try (LocalModel answerer =
                new LocalModel(model, directory.toString(), FileStamps.of(directory), PromptForm.PLAIN, BATCH)) {
            Message what = Message.of("%s", directory);
            evaluation().run(found, answerer, Optional.of(out), true, new TaskProgress(Optional.of(what), quiet));
        }
    }
}
