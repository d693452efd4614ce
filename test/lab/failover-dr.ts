import { playFailover } from './scene/failover-story.ts';

/**
 * The main job, by direct routing: the master hands over, stops, loses power and returns under live traffic, and
 * every established connection goes on.
 */
export const needs = 'kernel';
export const limitSeconds = 1200;

playFailover('DR');
