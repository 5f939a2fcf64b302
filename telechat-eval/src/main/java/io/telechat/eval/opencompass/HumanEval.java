// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.eval.data.HumanEvalRow;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.ProgramRule;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Score;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import io.telechat.eval.task.TaskSource.ProgramCheck;
import io.telechat.eval.text.PythonText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python functions to be completed, which are run against tests ({@code humaneval_gen_8e312c}). */
final class HumanEval implements Task {
    private static final String PROMPT = "Complete the following python code:\n";
    private static final OptionalInt MAX_NEW_TOKENS = OptionalInt.of(512);
    private static final Pattern FENCED = PythonText.regex("```\\w*\\n(.*?)```", Pattern.DOTALL);

    @Override
    public String name() {
        return "humaneval";
    }

    @Override
    public int usualShots() {
        return 0;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        Examples.requireNone(name(), source);
        Path file = source.required(HumanEvalRow.PACKED, HumanEvalRow.UNPACKED);
        List<Item> items = new ArrayList<>();
        for (HumanEvalRow row : source.limited(HumanEvalRow.read(file))) {
            ProgramRule rule = rule(Optional.of(row), source.programs());
            items.add(new Item(
                    items.size(),
                    Template.EMPTY.human(PROMPT + row.prompt()).dialog(),
                    new FreeAnswer(List.of(), MAX_NEW_TOKENS, row.id(), rule)));
        }
        return List.of(new Subtask(Optional.empty(), items));
    }

    @Override
    public List<Group> groups() {
        return List.of();
    }

    /** Reads only: what was to be completed, and how it is tested, is not part of the question. */
    @Override
    public AnswerRule rule(Question question) {
        return rule(Optional.empty(), Optional.empty());
    }

    private static ProgramRule rule(Optional<HumanEvalRow> function, Optional<ProgramCheck> check) {
        return new ProgramRule(Score.NONE, HumanEval::code, function.map(row -> row::program), check);
    }

    /** The first block in fences, or else all; a body that begins without one loses its first indentation. */
    private static String code(String response) {
        Matcher block = FENCED.matcher(response);
        return PythonText.lstrip(block.find() ? block.group(1) : response);
    }
}
