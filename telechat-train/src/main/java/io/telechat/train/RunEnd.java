// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

/** How a run ended. */
public enum RunEnd {
    /** All steps are done. */
    COMPLETE,
    /** The loss on the samples that are not trained did not fall any more. */
    NO_IMPROVEMENT,
    /** It was asked to stop; a checkpoint was saved. */
    STOPPED
}
