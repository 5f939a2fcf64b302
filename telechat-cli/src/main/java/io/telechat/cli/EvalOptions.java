// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.eval.EvalSettings;
import io.telechat.eval.Tasks;
import io.telechat.eval.model.PromptForm;
import io.telechat.eval.task.Style;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** What is asked of a model that is evaluated. Options that lm-evaluation-harness has are named as there. */
final class EvalOptions {
    @Option(
            names = "--tasks",
            paramLabel = "NAME,…",
            split = ",",
            description = "benchmarks: mmlu, cmmlu, agieval, gsm8k, math, humaneval, bbh, bbh_cot_zeroshot,"
                    + " bbh_zeroshot, hellaswag; or FILE.yaml of a task of your own")
    private List<String> tasks = new ArrayList<>();

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "with a folder for each benchmark, as its makers publish it")
    private Optional<Path> data = Optional.empty();

    @Option(
            names = "--style",
            paramLabel = "STYLE",
            description = "whose prompts and scores: lm-eval or opencompass (default: lm-eval)")
    private String style = "lm-eval";

    @Option(
            names = "--num-fewshot",
            paramLabel = "N",
            description = "solved examples before each question (default: as many as are usual for the task)")
    private Optional<Integer> shots = Optional.empty();

    @Option(names = "--limit", paramLabel = "N", description = "documents of each subtask at most, from the first")
    private Optional<Integer> limit = Optional.empty();

    @Option(
            names = "--max-length",
            paramLabel = "N",
            description = "tokens of prompt and answer at most; longer prompts lose their beginning (default: the"
                    + " model's context)")
    private Optional<Integer> maxLength = Optional.empty();

    @Option(
            names = "--max-gen-toks",
            paramLabel = "N",
            description = "tokens of an answer at most, where the task allows for more")
    private Optional<Integer> maxGenToks = Optional.empty();

    @Option(
            names = "--apply-chat-template",
            description = "put questions as a user would, in the model's chat format (style opencompass always does)")
    private boolean chat;

    @Option(
            names = "--fewshot-as-multiturn",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "with --apply-chat-template: each example is a turn of its own (default: yes)")
    private boolean multiturn;

    @Option(
            names = "--decode-with-prompt",
            description = "keep the blanks that an answer begins with, which lm-eval loses: fairer to models in"
                    + " humaneval (a server always does)")
    private boolean decodeWithPrompt;

    /** @throws InvalidRequestException if there is no such style */
    Style style() {
        return Arrays.stream(Style.values())
                .filter(s -> s.toString().equals(style))
                .findFirst()
                .orElseThrow(() -> new InvalidRequestException(
                        "--style is %s, must be one of: %s",
                        style,
                        Arrays.stream(Style.values()).map(Style::toString).collect(Collectors.joining(", "))));
    }

    /** As it was given. */
    String styleName() {
        return style;
    }

    List<String> tasks() {
        return tasks;
    }

    /** @param asksServer whose texts keep their blanks in any case */
    EvalSettings settings(boolean runsPrograms, boolean asksServer) {
        Path directory = data.orElse(Path.of(""));
        boolean published = tasks.stream().anyMatch(name -> !Tasks.isFile(name));
        if (published && data.isEmpty()) {
            throw new InvalidRequestException("where are the benchmarks' files? --data-dir DIR names their folder");
        }
        if (published && !Files.isDirectory(directory)) {
            throw new InvalidInputException("%s: there is no such directory (--data-dir)", directory);
        }
        PromptForm form = new PromptForm(
                positive("--max-length", maxLength),
                positive("--max-gen-toks", maxGenToks),
                chat,
                multiturn,
                decodeWithPrompt || asksServer);
        if (shots.isPresent() && shots.get() < 0) {
            throw new InvalidRequestException("--num-fewshot is %d, must be 0 or more", shots.get());
        }
        OptionalInt examples = shots.map(OptionalInt::of).orElse(OptionalInt.empty());
        return new EvalSettings(style(), directory, examples, positive("--limit", limit), form, runsPrograms);
    }

    private static OptionalInt positive(String name, Optional<Integer> value) {
        value.ifPresent(n -> Positive.check(name, n));
        return value.map(OptionalInt::of).orElse(OptionalInt.empty());
    }
}
