// SPDX-License-Identifier: Apache-2.0
/**
 * Training state cut among ranks (ZeRO: Rajbhandari et al. 2020, arXiv:1910.02054). The parameters of a section of the model lie
 * one behind the other, {@link io.telechat.train.zero.FlatLayout}, and each rank owns an equal range of them; what else a rank
 * holds is a matter of the {@link io.telechat.train.zero.ZeroStage}.
 */
package io.telechat.train.zero;
