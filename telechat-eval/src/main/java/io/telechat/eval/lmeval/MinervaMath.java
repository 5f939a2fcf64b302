// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.data.Bundled;
import io.telechat.eval.data.MathProblem;
import io.telechat.eval.math.MinervaAnswer;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Examples;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.OneWayRule;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Prompt.Shot;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** MATH (Hendrycks et al. 2021): problems of contests, behind the four examples of Minerva (Lewkowycz et al. 2022). */
final class MinervaMath implements Task {
    private static final String DELIMITER = " ";
    private static final List<String> UNTIL = List.of("Problem:");

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
        List<Shot> shots = Examples.first(examples(), source, name());
        List<Subtask> subtasks = new ArrayList<>();
        for (String type : MathProblem.TYPES) {
            source.optionalFolder("math/test/" + type).ifPresent(folder -> {
                List<Item> items = new ArrayList<>();
                for (Path file : source.limited(MathProblem.files(folder))) {
                    items.add(item(items.size(), shots, file));
                }
                subtasks.add(new Subtask(Optional.of(type), items));
            });
        }
        return subtasks;
    }

    private static List<Shot> examples() {
        List<Shot> shots = new ArrayList<>();
        for (JsonNode example :
                Bundled.json(MinervaMath.class, "math_shots.json").get("shots")) {
            shots.add(new Shot(
                    question(example.get("problem").textValue()),
                    example.get("solution").textValue()));
        }
        return shots;
    }

    private static Item item(int id, List<Shot> shots, Path file) {
        MathProblem row = MathProblem.read(file);
        String gold = MinervaAnswer.goldOf(row.solution())
                .orElseThrow(() -> new InvalidInputException("%s: \"solution\" has no answer in a \\boxed{}", file));
        return new Item(
                id,
                new FewShot("", shots, question(row.problem()), DELIMITER),
                rule(Optional.of(gold)).query(UNTIL, OptionalInt.empty()));
    }

    private static String question(String problem) {
        return "Problem:\n" + problem + "\n\nSolution:";
    }

    @Override
    public AnswerRule rule(Question question) {
        return rule(question.gold());
    }

    /** @param gold in its normal form */
    private static OneWayRule rule(Optional<String> gold) {
        return new OneWayRule(
                "exact_match",
                response -> MinervaAnswer.normalize(MinervaAnswer.extract(response)),
                MinervaAnswer::equal,
                gold);
    }
}
