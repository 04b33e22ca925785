/* json.c -- a mapped network goes in, everything that is known of it comes out as JSON: exact integers, energies with all
 * their digits. Members stand in the order in which they are set, so that the same mapping gives the same bytes. */
#include "backend/report/report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "mapper/explain/network_report.h"
#include "mapper/mapping/mapping_print.h"
#include "mapper/mapping/tile.h"

static const char *const access_name[ACCESS_KINDS] = {"reads", "fills", "updates"};
static const char *const class_name[CLASSES] = {"I", "W", "O"};

/* JSON has no infinity; what is not known is null. */
static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *string)
{
	json_t *value = string ? json_string(string) : NULL;

	return value ? value : json_null();
}

/* ---- The machine ------------------------------------------------------------------------------------------------- */

static json_t *level_json(const struct level *l)
{
	json_t *level = json_object(), *axes = json_array(), *costs = json_object();

	json_object_set_new(level, "name", text(l->name));
	json_object_set_new(level, "isMemory", json_boolean(l->is_memory));
	json_object_set_new(level, "words", l->words ? json_integer(l->words) : json_null());
	for (int k = 0; k < ACCESS_KINDS; k++)
		json_object_set_new(costs, access_name[k], real(l->cost[k]));
	json_object_set_new(level, "cost", costs);
	json_object_set_new(level, "array", text(l->array));
	for (int a = 0; a < l->axes; a++)
		json_array_append_new(axes, json_integer(l->fanout[a]));
	json_object_set_new(level, "axes", axes);
	json_object_set_new(level, "hopCost", real(l->hop_cost));
	return level;
}

static json_t *machine_json(const struct mapped_machine *m)
{
	const struct hierarchy *h = m->mapped->workload->machine;
	json_t *machine = json_object(), *levels = json_array();

	json_object_set_new(machine, "name", text(h->name));
	json_object_set_new(machine, "file", text(m->file));
	json_object_set_new(machine, "units", json_integer(hierarchy_units(h)));
	json_object_set_new(machine, "clock", real(h->clock));
	json_object_set_new(machine, "energyUnit", text(h->is_in_joules ? "J" : "own"));
	json_object_set_new(machine, "macCost", real(h->mac_cost));
	json_object_set_new(machine, "dataflow", text(h->dataflow));
	for (int i = 0; i < h->levels; i++)
		json_array_append_new(levels, level_json(&h->level[i]));
	json_object_set_new(machine, "levels", levels);
	return machine;
}

/* ---- A layer: what it computes --------------------------------------------------------------------------------------- */

static json_t *operand_json(const struct problem *p, int operand)
{
	const struct operand *o = &p->operand[operand];
	json_t *object = json_object(), *ranks = json_array();

	json_object_set_new(object, "name", text(operand_name(p, operand)));
	json_object_set_new(object, "tensor", text(o->name));
	json_object_set_new(object, "class", text(class_name[o->class]));
	for (int r = 0; r < o->ranks; r++) {
		json_t *sum = json_object();
		for (int d = 0; d < p->dims; d++)
			if (o->coef[r][d] != 0)
				json_object_set_new(sum, p->dim[d], json_integer(o->coef[r][d]));
		json_array_append_new(ranks, sum);
	}
	json_object_set_new(object, "ranks", ranks);
	json_object_set_new(object, "words", json_integer(tile_words(o, p->dims, p->extent)));
	return object;
}

static json_t *problem_json(const struct problem *p)
{
	json_t *problem = json_object(), *loops = json_object(), *operands = json_array();

	for (int d = 0; d < p->dims; d++)
		json_object_set_new(loops, p->dim[d], json_integer(p->extent[d]));
	json_object_set_new(problem, "loops", loops);
	for (int o = 0; o < p->operands; o++)
		json_array_append_new(operands, operand_json(p, o));
	json_object_set_new(problem, "operands", operands);
	return problem;
}

/* ---- A layer: what its mapping costs ----------------------------------------------------------------------------------- */

static json_t *counters_json(const int64_t count[ACCESS_KINDS])
{
	json_t *counters = json_object();

	for (int k = 0; k < ACCESS_KINDS; k++)
		json_object_set_new(counters, access_name[k], json_integer(count[k]));
	return counters;
}

static json_t *traffic_json(const struct mapping *m, const struct cost *cost)
{
	json_t *levels = json_array();

	for (int l = 0; l < m->machine->levels; l++) {
		json_t *level = json_object(), *operands = json_object();
		json_object_set_new(level, "level", text(m->machine->level[l].name));
		json_object_set_new(level, "instances", json_integer(cost->instances[l]));
		for (int o = 0; o < m->problem->operands; o++) {
			const struct traffic *t = &cost->traffic[l][o];
			json_t *counters = counters_json(t->count);
			json_object_set_new(counters, "perInstance",
					    counters_json(t->per_instance));
			json_object_set_new(counters, "accesses", counters_json(t->accesses));
			json_object_set_new(counters, "tile", json_integer(t->tile));
			json_object_set_new(counters, "deliveries", json_integer(t->deliveries));
			json_object_set_new(
				counters, "hops",
				json_integer(m->machine->level[l].axes > 0 ? t->hops : 0));
			json_object_set_new(operands, operand_name(m->problem, o), counters);
		}
		json_object_set_new(level, "operands", operands);
		json_array_append_new(levels, level);
	}
	return levels;
}

static json_t *energy_json(const struct mapping *m, const struct cost *cost)
{
	json_t *energy = json_object(), *levels = json_object();

	json_object_set_new(energy, "total", real(cost->energy));
	json_object_set_new(energy, "mac", real(cost->energy_mac));
	json_object_set_new(energy, "network", real(cost->energy_network));
	json_object_set_new(energy, "leakage", real(cost->energy_leakage));
	for (int l = 0; l < m->machine->levels; l++)
		json_object_set_new(levels, m->machine->level[l].name, real(cost->energy_level[l]));
	json_object_set_new(energy, "levels", levels);
	return energy;
}

/* The words of all operands of the busiest instance, by the bandwidth of its port: cycles, not rounded; null without limit. */
static json_t *ports_json(const struct mapping *m, const struct cost *cost)
{
	json_t *ports = json_array();

	for (int i = 0; i < m->machine->levels; i++) {
		const struct level *l = &m->machine->level[i];
		json_t *port = json_object();
		double reads = 0, writes = 0;
		for (int o = 0; o < m->problem->operands; o++) {
			const int64_t *count = cost->traffic[i][o].per_instance;
			if (l->class_bandwidth[m->problem->operand[o].class] > 0)
				continue; /* its words have a port of their own */
			reads += (double)count[ACCESS_READ];
			writes += (double)(count[ACCESS_FILL] + count[ACCESS_UPDATE]);
		}
		json_object_set_new(port, "level", text(l->name));
		json_object_set_new(
			port, "read",
			real(l->read_bandwidth > 0 ? reads / l->read_bandwidth : INFINITY));
		json_object_set_new(
			port, "write",
			real(l->write_bandwidth > 0 ? writes / l->write_bandwidth : INFINITY));
		json_object_set_new(port, "shared",
				    real(l->shared_bandwidth > 0
						 ? (reads + writes) / l->shared_bandwidth
						 : INFINITY));
		json_object_set_new(port, "network",
				    real(l->network_bandwidth > 0 ? (double)cost->network_words[i] /
									    l->network_bandwidth
								  : INFINITY));
		json_array_append_new(ports, port);
	}
	return ports;
}

static json_t *cycles_json(const struct mapping *m, const struct cost *cost)
{
	static const char *const bound[] = {
		[BOUND_COMPUTE] = "compute", [BOUND_READ] = "read",   [BOUND_WRITE] = "write",
		[BOUND_SHARED] = "shared",   [BOUND_CLASS] = "class", [BOUND_NETWORK] = "network"};
	json_t *cycles = json_object();
	bool is_port = cost->bound != BOUND_COMPUTE;

	json_object_set_new(cycles, "total", json_integer(cost->cycles));
	json_object_set_new(cycles, "overlap", text("perfect"));
	json_object_set_new(cycles, "bound", text(bound[cost->bound]));
	json_object_set_new(cycles, "boundLevel",
			    text(is_port ? m->machine->level[cost->bound_level].name : NULL));
	json_object_set_new(cycles, "compute", json_integer(cost->steps));
	json_object_set_new(cycles, "ports", ports_json(m, cost));
	return cycles;
}

static json_t *eyexam_json(const struct eyexam *e)
{
	json_t *steps = json_object();

	for (int k = 0; k < EYEXAM_STEPS; k++)
		json_object_set_new(steps, eyexam_name[k], real(e->rate[k]));
	return steps;
}

static json_t *map_json(const struct mapping *m)
{
	char *string = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&string, &size);
	json_t *value;

	if (!file)
		return NULL;
	mapping_print(m, file);
	value = fclose(file) == 0 ? text(string) : NULL;
	free(string);
	return value;
}

/* ---- A layer: the search ------------------------------------------------------------------------------------------------- */

static const char *status_of(const struct layer_mapping *l)
{
	if (l->layer->why)
		return "unmappable";
	if (l->layer->given)
		return "given";
	return l->found.status == SEARCH_PROVEN ? "proven"
	       : l->found.status == SEARCH_CUT  ? "cut"
						: "infeasible";
}

static json_t *search_json(const struct network_mapping *n, const struct layer_mapping *l)
{
	const struct search_result *r = &l->found;
	json_t *search = json_object();
	bool is_searched = l->layer->first >= 0;
	double gap = search_gap(r);

	json_object_set_new(search, "status", text(status_of(l)));
	json_object_set_new(search, "why", text(l->layer->why ? l->layer->why : r->why));
	json_object_set_new(search, "value", real(r->has_mapping ? r->value : INFINITY));
	json_object_set_new(search, "bound", real(is_searched ? r->bound : INFINITY));
	json_object_set_new(search, "gap", real(is_searched ? gap : INFINITY));
	json_object_set_new(search, "root", real(is_searched ? r->root : INFINITY));
	json_object_set_new(search, "evaluations", json_integer(r->evaluations));
	json_object_set_new(search, "sameAs",
			    text(is_searched && &n->workload->layer[l->layer->first] != l->layer
					 ? n->workload->layer[l->layer->first].name
					 : NULL));
	return search;
}

static json_t *pareto_json(const struct layer_mapping *l)
{
	json_t *set = json_object(), *points = json_array();

	json_object_set_new(set, "isWhole", json_boolean(l->is_set_whole));
	for (int i = 0; i < l->points; i++) {
		json_t *point = json_object();
		json_object_set_new(point, "energy", real(l->point[i].energy));
		json_object_set_new(point, "cycles", json_integer(l->point[i].cycles));
		json_array_append_new(points, point);
	}
	json_object_set_new(set, "points", points);
	return set;
}

static json_t *layer_json(const struct network_mapping *n, const struct layer_mapping *l)
{
	json_t *layer = json_object();
	const struct search_result *r = &l->found;

	json_object_set_new(layer, "name", text(l->layer->name));
	json_object_set_new(layer, "operator", text(l->layer->statement->op));
	json_object_set_new(layer, "macs", json_integer(l->layer->macs));
	json_object_set_new(layer, "points", json_integer(statement_points(l->layer->statement)));
	json_object_set_new(layer, "search", search_json(n, l));
	if (l->layer->problem)
		json_object_set_new(layer, "problem", problem_json(l->layer->problem));
	if (r->has_mapping) {
		json_object_set_new(layer, "mapping", map_json(&r->mapping));
		json_object_set_new(layer, "units", json_integer(r->cost.units));
		json_object_set_new(layer, "energy", energy_json(&r->mapping, &r->cost));
		json_object_set_new(layer, "cycles", cycles_json(&r->mapping, &r->cost));
		json_object_set_new(layer, "accesses", traffic_json(&r->mapping, &r->cost));
		json_object_set_new(layer, "eyexam", eyexam_json(&l->eyexam));
	}
	if (n->options.pareto)
		json_object_set_new(layer, "pareto", pareto_json(l));
	return layer;
}

/* ---- The whole ----------------------------------------------------------------------------------------------------------- */

static json_t *totals_json(const struct network_mapping *n)
{
	struct network_totals t = network_totals(n);
	json_t *totals = json_object(), *accesses = json_object();

	json_object_set_new(totals, "mapped", json_integer(t.mapped));
	json_object_set_new(totals, "proven", json_integer(t.proven));
	json_object_set_new(totals, "unmapped", json_integer(t.unmapped));
	json_object_set_new(totals, "distinct", json_integer(n->workload->distinct));
	json_object_set_new(totals, "otherStatements", json_integer(n->workload->others));
	json_object_set_new(totals, "points", json_integer(t.macs));
	json_object_set_new(totals, "energy", real(t.energy));
	json_object_set_new(totals, "cycles", json_integer(t.cycles));
	json_object_set_new(totals, "accessesWithoutReuse", json_integer(t.without_reuse));
	for (int i = 0; i < n->workload->machine->levels; i++)
		json_object_set_new(accesses, n->workload->machine->level[i].name,
				    json_integer(t.accesses[i]));
	json_object_set_new(totals, "accesses", accesses);
	return totals;
}

static json_t *mapped_json(const struct mapped_machine *m)
{
	json_t *object = json_object(), *layers = json_array();

	json_object_set_new(object, "machine", machine_json(m));
	for (int i = 0; i < m->mapped->workload->layers; i++)
		json_array_append_new(layers, layer_json(m->mapped, &m->mapped->layer[i]));
	json_object_set_new(object, "layers", layers);
	json_object_set_new(object, "totals", totals_json(m->mapped));
	return object;
}

char *report_json(int machines, const struct mapped_machine machine[])
{
	const struct network_mapping *first = machine[0].mapped;
	json_t *report = json_object(), *mapped = json_array();
	char *string;

	json_object_set_new(report, "network", text(first->workload->network->name));
	json_object_set_new(report, "objective", text(objective_name[first->options.objective]));
	json_object_set_new(report, "imperfectFactors", json_boolean(first->options.imperfect));
	for (int i = 0; i < machines; i++)
		json_array_append_new(mapped, mapped_json(&machine[i]));
	json_object_set_new(report, "machines", mapped);
	string = json_dumps(report, JSON_INDENT(1));
	json_decref(report);
	return string;
}
