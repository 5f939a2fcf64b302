// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import java.nio.file.Path;
import java.util.List;

/**
 * A function of HumanEval that is to be completed.
 *
 * @param id of the makers
 * @param prompt its head, and what it is to do
 * @param test a program that defines {@code check(candidate)}
 * @param entryPoint the function's name
 */
public record HumanEvalRow(String id, String prompt, String test, String entryPoint) {
    /** Names of its file under the data directory, as published and unpacked. */
    public static final String PACKED = "humaneval/HumanEval.jsonl.gz";

    public static final String UNPACKED = "humaneval/HumanEval.jsonl";

    /** All of a file. */
    public static List<HumanEvalRow> read(Path file) {
        return JsonLines.rows(file).stream().map(HumanEvalRow::of).toList();
    }

    private static HumanEvalRow of(JsonRow row) {
        return new HumanEvalRow(row.text("task_id"), row.text("prompt"), row.text("test"), row.text("entry_point"));
    }

    /** What runs to its end if a completion is right. */
    public String program(String completion) {
        return prompt + completion + "\n" + test + "\ncheck(" + entryPoint + ")";
    }
}
