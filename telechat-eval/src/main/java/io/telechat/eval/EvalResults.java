// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.TextFiles;
import io.telechat.eval.score.TaskScores;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a run has come to.
 *
 * @param model its name
 * @param settings as {@code results.json} shows them
 * @param missing files of subtasks that were not there
 */
public record EvalResults(String model, ObjectNode settings, List<TaskScores> tasks, List<Path> missing) {
    public EvalResults {
        tasks = List.copyOf(tasks);
        missing = List.copyOf(missing);
    }

    /** As {@code results.json} has it, with the keys of lm-evaluation-harness. */
    public ObjectNode json() {
        return ResultsJson.write(this);
    }

    /**
     * Of a run that has come to its end.
     *
     * @param directory of the run, with {@code results.json}
     * @throws InvalidInputException if it is not there, or is something else
     */
    public static EvalResults read(Path directory) {
        Path file = file(directory);
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException("%s: there is no such file; give the --out of telechat eval", file);
        }
        return ResultsJson.read(file.toString(), JsonFiles.parse(file.toString(), TextFiles.read(file)));
    }

    /** Where the results of a run are. */
    public static Path file(Path directory) {
        return directory.resolve("results.json");
    }
}
