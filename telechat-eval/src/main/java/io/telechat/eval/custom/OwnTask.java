// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.custom;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** A task of a user's own. Its files lie where its YAML file says, whatever the directory of the published benchmarks. */
public final class OwnTask implements Task {
    private final Path file;
    private final OwnTaskFile text;
    private final Optional<Pattern> expression;

    private OwnTask(Path file, OwnTaskFile text, Optional<Pattern> expression) {
        this.file = file;
        this.text = text;
        this.expression = expression;
    }

    /**
     * One that a file describes; see docs/evaluation.md.
     *
     * @throws InvalidInputException if it is not as it should be
     */
    public static OwnTask read(Path file) {
        OwnTaskFile text = OwnTaskFile.read(file);
        try {
            return new OwnTask(file, text, Optional.ofNullable(text.extract()).map(Pattern::compile));
        } catch (PatternSyntaxException e) {
            throw new InvalidInputException(
                    e, "%s: \"extract\" is no regular expression: %s", file, e.getDescription());
        }
    }

    @Override
    public String name() {
        return Optional.ofNullable(text.task())
                .orElseGet(() -> file.getFileName().toString().replaceFirst("\\.[^.]*$", ""));
    }

    @Override
    public String version() {
        return text.toString();
    }

    @Override
    public int usualShots() {
        return text.shots();
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        List<Prompt.Shot> shots = examples(source).stream()
                .map(row -> new Prompt.Shot(prompt(row), goldText(row)))
                .toList();
        Map<Optional<String>, List<Item>> parts = new LinkedHashMap<>();
        for (JsonRow row : JsonLines.rows(beside(text.data()))) {
            Optional<String> part = Optional.ofNullable(text.subtask()).map(t -> new RowTemplate(t).of(row));
            List<Item> items = parts.computeIfAbsent(part, p -> new ArrayList<>());
            items.add(new Item(items.size(), asked(shots, row), query(row)));
        }
        return parts.entrySet().stream()
                .map(part -> new Subtask(part.getKey(), source.limited(part.getValue())))
                .toList();
    }

    private List<JsonRow> examples(TaskSource source) {
        if (source.shots() == 0) {
            return List.of();
        }
        if (text.examples() == null) {
            throw new InvalidRequestException(
                    "%s: names no \"examples\", of which %d are wanted", file, source.shots());
        }
        Path examples = beside(text.examples());
        return Examples.first(JsonLines.rows(examples), source, examples);
    }

    private Path beside(String name) {
        return file.resolveSibling(name);
    }

    private String prompt(JsonRow row) {
        return new RowTemplate(text.prompt()).of(row);
    }

    private Prompt asked(List<Prompt.Shot> shots, JsonRow row) {
        return new Prompt.FewShot(Optional.ofNullable(text.description()).orElse(""), shots, prompt(row), delimiter());
    }

    private String delimiter() {
        return Optional.ofNullable(text.delimiter()).orElse(" ");
    }

    private Query query(JsonRow row) {
        if (text.choices() == null) {
            String gold = goldText(row);
            OptionalInt length =
                    text.maxNewTokens() == null ? OptionalInt.empty() : OptionalInt.of(text.maxNewTokens());
            List<String> until = Optional.ofNullable(text.until()).orElse(List.of());
            return new Query.FreeAnswer(until, length, gold, rule(Optional.of(gold)));
        }
        List<String> choices = choices(row);
        return new Query.Choice(choices, delimiter(), Set.of(goldPlace(row, choices)), false, true);
    }

    private List<String> choices(JsonRow row) {
        List<String> choices = new ArrayList<>();
        if (text.choices().size() == 1) {
            new RowTemplate(text.choices().getFirst()).list(row).forEach(choice -> choices.add(choice.asText()));
        } else {
            text.choices().forEach(choice -> choices.add(new RowTemplate(choice).of(row)));
        }
        if (choices.size() < 2 || choices.stream().anyMatch(String::isEmpty)) {
            throw new InvalidInputException("%s: must have at least two choices, none of them empty", row.place());
        }
        return choices;
    }

    /** By its text, its letter or its place. */
    private int goldPlace(JsonRow row, List<String> choices) {
        String gold = new RowTemplate(text.gold()).of(row);
        int at = choices.indexOf(gold);
        if (at < 0 && gold.matches("[A-Z]")) {
            at = gold.charAt(0) - 'A';
        } else if (at < 0 && gold.matches("\\d{1,4}")) {
            at = Integer.parseInt(gold);
        }
        if (at < 0 || at >= choices.size()) {
            throw new InvalidInputException(
                    "%s: the right answer is \"%s\", must be one of the choices, its letter, or its place from 0",
                    row.place(), gold);
        }
        return at;
    }

    /** What stands behind a solved question. */
    private String goldText(JsonRow row) {
        if (text.choices() == null) {
            return new RowTemplate(text.gold()).of(row);
        }
        List<String> choices = choices(row);
        return choices.get(goldPlace(row, choices));
    }

    @Override
    public AnswerRule rule(Question question) {
        if (text.choices() != null) {
            throw new InvalidRequestException(
                    "%s compares the likelihoods of its choices: there is nothing to read", name());
        }
        return rule(question.gold());
    }

    private AnswerRule rule(Optional<String> gold) {
        return new FoundAnswer(expression, "last".equals(text.take()), text.ignoreCase(), text.ignorePunctuation())
                .rule(gold);
    }
}
