// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static io.telechat.eval.opencompass.OpenCompassTasks.METRIC;

import io.telechat.eval.data.MathProblem;
import io.telechat.eval.math.MathStyle;
import io.telechat.eval.math.OpenCompassMath;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Problems of mathematical competitions, behind four fixed examples ({@code math_gen_265cce}). They are one set, in whatever order
 * OpenCompass's own file has them; here it is by type and number, and documents say which problem they are.
 */
final class MathProblems implements Task {
    private static final String EXAMPLE = "Problem:\n%s\nSolution:";
    private static final String QUESTION = "Problem:\n{problem}\nSolution:\n";
    private static final OptionalInt MAX_NEW_TOKENS = OptionalInt.of(512);

    /** No answer is the same as that of a solution without one. */
    private static final OneWayRule NEVER_RIGHT =
            new OneWayRule(METRIC, OpenCompassMath::extract, (found, right) -> false, Optional.of(""));

    @Override
    public String name() {
        return "math";
    }

    @Override
    public int usualShots() {
        return 4;
    }

    @Override
    public List<Subtask> load(TaskSource source) {
        Template template =
                Template.examples("math_shots.json", EXAMPLE, source).human(QUESTION);
        List<Item> items = new ArrayList<>();
        for (Path file : source.limited(files(source))) {
            MathProblem problem = MathProblem.read(file);
            Fields fields = Fields.of("problem", problem.problem()).with("solution", "");
            OneWayRule rule = OpenCompassMath.goldOf(problem.solution())
                    .map(gold -> rule(Optional.of(gold)))
                    .orElse(NEVER_RIGHT);
            items.add(new Item(
                    items.size(),
                    template.filled(fields).dialog(),
                    rule.query(List.of(), MAX_NEW_TOKENS),
                    Optional.of(nameOf(file, source))));
        }
        return List.of(new Subtask(Optional.empty(), items));
    }

    private static List<Path> files(TaskSource source) {
        return MathProblem.TYPES.stream()
                .flatMap(type -> source.optionalFolder("math/test/" + type).stream())
                .flatMap(folder -> MathProblem.files(folder).stream())
                .toList();
    }

    /** Below the data directory, with slashes. */
    private static String nameOf(Path file, TaskSource source) {
        return source.directory().relativize(file).toString().replace('\\', '/');
    }

    @Override
    public List<Group> groups() {
        return List.of();
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.gold());
    }

    private static OneWayRule rule(Optional<String> gold) {
        return new OneWayRule(METRIC, OpenCompassMath::extract, MathStyle.OPENCOMPASS::equal, gold);
    }
}
