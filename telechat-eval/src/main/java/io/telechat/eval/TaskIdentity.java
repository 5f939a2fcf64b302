// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import io.telechat.eval.data.Digest;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import java.util.List;
import java.util.TreeSet;

/** Tells whether a task's documents are those of another time: its makers' files, or a user's own task, may have changed. */
final class TaskIdentity {
    private TaskIdentity() {}

    static String of(Task task, List<Subtask> subtasks) {
        Digest digest = new Digest();
        digest.add(task.version());
        for (Subtask subtask : subtasks) {
            digest.add(subtask.name().orElse(""));
            for (Item item : subtask.items()) {
                digest.add(String.valueOf(item.id()));
                digest.add(item.prompt().toString());
                add(digest, item.query());
            }
        }
        return digest.text();
    }

    private static void add(Digest digest, Query query) {
        switch (query) {
            case Query.Choice choice -> {
                digest.add(choice.delimiter());
                digest.add(new TreeSet<>(choice.right()).toString());
                choice.answers().forEach(digest::add);
            }
            case Query.FreeAnswer free -> {
                free.until().forEach(digest::add);
                digest.add(free.maxNewTokens().toString());
                digest.add(free.gold());
            }
        }
    }
}
