// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/** BIG-Bench Hard, behind its makers' three examples of thinking step by step ({@code bbh_gen_5b92b0}). */
final class Bbh implements Task {
    private static final Set<String> CHOICES = Set.of(
            "temporal_sequences",
            "disambiguation_qa",
            "date_understanding",
            "tracking_shuffled_objects_three_objects",
            "penguins_in_a_table",
            "geometric_shapes",
            "snarks",
            "ruin_names",
            "tracking_shuffled_objects_seven_objects",
            "tracking_shuffled_objects_five_objects",
            "logical_deduction_three_objects",
            "hyperbaton",
            "logical_deduction_five_objects",
            "logical_deduction_seven_objects",
            "movie_recommendation",
            "salient_translation_error_detection",
            "reasoning_about_colored_objects");
    private static final Set<String> FREE = Set.of(
            "multistep_arithmetic_two",
            "navigate",
            "dyck_languages",
            "word_sorting",
            "sports_understanding",
            "boolean_expressions",
            "object_counting",
            "formal_fallacies",
            "causal_judgement",
            "web_of_lies");

    private static final String PROMPT =
            "Follow the given examples and answer the question.\n%s\n\n" + "Q: {input}\nA: Let's think step by step.";
    private static final OptionalInt MAX_NEW_TOKENS = OptionalInt.of(512);
    private static final int SHOTS = 3;

    /** Behind the line that asks to keep the examples out of training. */
    private static final String BEGIN = "-----\n";

    @Override
    public String name() {
        return "bbh";
    }

    @Override
    public int usualShots() {
        return SHOTS;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        if (source.shots() != SHOTS) {
            throw new InvalidRequestException(
                    "%s: has %d solved examples, %d were asked for", name(), SHOTS, source.shots());
        }
        return names().stream()
                .map(name -> subtask(name, source))
                .flatMap(Optional::stream)
                .toList();
    }

    private static Set<String> names() {
        Set<String> names = new TreeSet<>(CHOICES);
        names.addAll(FREE);
        return names;
    }

    private static Optional<Subtask> subtask(String name, TaskSource source) {
        Optional<Path> examples = source.optional("bbh/cot-prompts/" + name + ".txt");
        Optional<Path> questions = source.optional("bbh/bbh/" + name + ".json");
        if (examples.isEmpty() || questions.isEmpty()) {
            return Optional.empty();
        }
        Template template = Template.EMPTY.human(PROMPT.formatted(examples(examples.get())));
        List<Item> items = new ArrayList<>();
        for (JsonRow row : source.limited(JsonRow.list(questions.get(), "examples"))) {
            Fields fields = Fields.of("input", row.text("input")).with("target", "");
            OneWay rule = rule(name, Optional.of(row.text("target")));
            items.add(new Item(items.size(), template.filled(fields).dialog(), rule.query(MAX_NEW_TOKENS)));
        }
        return Optional.of(new Subtask(Optional.of(name), items));
    }

    private static String examples(Path file) {
        String text = Lines.read(file);
        int begin = text.indexOf(BEGIN);
        if (begin < 0) {
            throw new InvalidInputException("%s: must have a line \"-----\" before the examples", file);
        }
        return text.substring(begin + BEGIN.length());
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(SubtaskNames.required(question, name(), names()), question.gold());
    }

    private static OneWay rule(String subtask, Optional<String> gold) {
        if (CHOICES.contains(subtask)) {
            return new OneWay(BbhAnswer::choice, String::equals, gold.map(BbhAnswer::choice));
        }
        return new OneWay(BbhAnswer::free, BbhAnswer::sameText, gold.map(BbhAnswer::free));
    }
}
