import { playKernelFaults } from './scene/kernel-faults.ts';

/** The faults of fault-kernels.ts with keepalived: how long two answer, and nobody, and what connections are lost. */
export const needs = 'pair of kernels';
export const limitSeconds = 3000;
export const long = true;

playKernelFaults('keepalived');
