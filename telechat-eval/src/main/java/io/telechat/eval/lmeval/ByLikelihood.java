// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.core.InvalidRequestException;

/** For tasks that compare how likely given answers are. */
final class ByLikelihood {
    private ByLikelihood() {}

    static InvalidRequestException noAnswerToRead(String task) {
        return new InvalidRequestException(
                "%s: compares the likelihoods of given answers; there are no written ones to read", task);
    }
}
