// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.eval.model.PromptForm;
import io.telechat.eval.task.Style;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * What is asked for, apart from the tasks.
 *
 * @param data directory with a folder for each task, as its makers publish it
 * @param shots solved examples before each question; empty for each task's usual number
 * @param limit documents of each subtask at most, from the first; empty for all
 * @param form how prompts are put to the model
 * @param runsPrograms whether generated programs are run
 */
public record EvalSettings(
        Style style, Path data, OptionalInt shots, OptionalInt limit, PromptForm form, boolean runsPrograms) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** As results carry it: all that the samples of a task depend on, beside the model. */
    ObjectNode json() {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("style", style.toString());
        json.put("data_dir", data.toString());
        put(json, "num_fewshot", shots);
        put(json, "limit", limit);
        put(json, "max_length", form.maxLength());
        put(json, "max_gen_toks", form.maxNewTokens());
        json.put("apply_chat_template", form.chat());
        json.put("fewshot_as_multiturn", form.multiturn());
        json.put("decode_with_prompt", form.decodeWithPrompt());
        json.put("code_execution", runsPrograms);
        return json;
    }

    private static void put(ObjectNode json, String name, OptionalInt value) {
        if (value.isPresent()) {
            json.put(name, value.getAsInt());
        } else {
            json.putNull(name);
        }
    }
}
