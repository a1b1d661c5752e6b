#include "lib/spread.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <string.h>

#define LAYERS 5                    /* tags and labels looked through, beside the one that the kernel took away */
#define AD(at) ((uint32_t)SKF_AD_OFF + (at))

enum { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057, QINQ_OLD = 0x9100 };

/* Where jumps go: only ahead, so each has a place once everything is written. */
enum { L_TYPE, L_TAG, L_LABEL, L_PARTS };
enum label {
    AHEAD, OUTGOING, ETHERNET, INCOMING, IP, NOT_IP,
    IP4, ICMP4, ERROR4, QUOTE4, PORTS4, BACK4, HASH4, IP6, ICMP6, PORTS6, HASH6, LAYER, LABELS = LAYER + L_PARTS * (LAYERS + 1)
};
enum { MEM_FOUND, MEM_AT, MEM_SUM, MEM_FIRST, MEM_HEADER, MEM_LEFT, MEM_ICMP };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };

struct writer {
    struct spread *p;
    uint8_t yes[SPREAD_MAX], no[SPREAD_MAX];
    uint16_t at[LABELS];
};

static enum label layer(uint32_t i, uint32_t part)
{
    return (enum label)(LAYER + L_PARTS * i + part);
}

static void jump(struct writer *w, uint32_t code, uint32_t k, enum label yes, enum label no)
{
    uint16_t i = w->p->n++;

    w->p->f[i] = (struct sock_filter){(uint16_t)code, 0, 0, k};
    w->yes[i] = (uint8_t)yes;
    w->no[i] = (uint8_t)no;
}

static void add(struct writer *w, uint32_t code, uint32_t k)
{
    jump(w, code, k, AHEAD, AHEAD);
}

static void jump_if(struct writer *w, uint32_t k, enum label yes, enum label no)
{
    jump(w, BPF_JMP | BPF_JEQ | BPF_K, k, yes, no);
}

static void here(struct writer *w, enum label l)
{
    w->at[l] = w->p->n;
}

static void resolve(struct writer *w)
{
    for (uint16_t i = 0; i < w->p->n; i++) {
        uint32_t yes = w->yes[i] ? w->at[w->yes[i]] - i - 1u : 0, no = w->no[i] ? w->at[w->no[i]] - i - 1u : 0;

        if (w->p->f[i].code == (BPF_JMP | BPF_JA)) {
            w->p->f[i].k = yes;
        } else {
            w->p->f[i].jt = (uint8_t)yes;
            w->p->f[i].jf = (uint8_t)no;
        }
    }
}

/* A packet that goes out begins with its Ethernet header. One that comes in begins behind it, and the kernel knows the
 * type. From then on X is where the type's header begins, A the type. */
static void write_begin(struct writer *w)
{
    add(w, BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_PKTTYPE));
    jump_if(w, PACKET_OUTGOING, OUTGOING, INCOMING);
    here(w, OUTGOING);
    add(w, BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_HATYPE));
    jump_if(w, ARPHRD_ETHER, ETHERNET, AHEAD);
    jump_if(w, ARPHRD_LOOPBACK, ETHERNET, INCOMING);
    here(w, ETHERNET);
    add(w, BPF_LDX | BPF_IMM, ETH_HLEN);
    add(w, BPF_LD | BPF_H | BPF_ABS, ETH_HLEN - 2);
    jump(w, BPF_JMP | BPF_JA, 0, layer(0, L_TYPE), AHEAD);
    here(w, INCOMING);
    add(w, BPF_LDX | BPF_IMM, 0);
    add(w, BPF_LD | BPF_W | BPF_ABS, AD(SKF_AD_PROTOCOL));
}

/* A: the byte or half-word at X + at; X: that many bytes further. */
static void forward(struct writer *w, uint32_t size, uint32_t at, uint32_t bytes)
{
    add(w, BPF_LD | BPF_IND | size, at);
    add(w, BPF_ST, MEM_FOUND);
    add(w, BPF_MISC | BPF_TXA, 0);
    add(w, BPF_ALU | BPF_ADD | BPF_K, bytes);
    add(w, BPF_MISC | BPF_TAX, 0);
    add(w, BPF_LD | BPF_MEM, MEM_FOUND);
}

static void write_layer(struct writer *w, uint32_t i)
{
    here(w, layer(i, L_TYPE));
    jump_if(w, ETH_P_IP, IP, AHEAD);
    jump_if(w, ETH_P_IPV6, IP, AHEAD);
    jump_if(w, ETH_P_8021Q, layer(i, L_TAG), AHEAD);
    jump_if(w, ETH_P_8021AD, layer(i, L_TAG), AHEAD);
    jump_if(w, QINQ_OLD, layer(i, L_TAG), AHEAD);
    jump_if(w, ETH_P_MPLS_UC, layer(i, L_LABEL), AHEAD);
    jump_if(w, ETH_P_MPLS_MC, layer(i, L_LABEL), AHEAD);
    jump_if(w, ETH_P_PPP_SES, AHEAD, NOT_IP);
    forward(w, BPF_H, 6, 8);
    jump_if(w, PPP_IPV4, IP, AHEAD);
    jump_if(w, PPP_IPV6, IP, NOT_IP);
    here(w, layer(i, L_LABEL));
    forward(w, BPF_B, 2, 4);
    jump(w, BPF_JMP | BPF_JSET | BPF_K, 1, IP, AHEAD);      /* the bottom of the stack */
    add(w, BPF_LD | BPF_IMM, ETH_P_MPLS_UC);
    jump(w, BPF_JMP | BPF_JA, 0, layer(i + 1, L_TYPE), AHEAD);
    here(w, layer(i, L_TAG));
    forward(w, BPF_H, 2, 4);
}

static void round_of(struct writer *w, uint32_t factor)
{
    add(w, BPF_ALU | BPF_MUL | BPF_K, factor);
    add(w, BPF_MISC | BPF_TAX, 0);
    add(w, BPF_ALU | BPF_RSH | BPF_K, 15);
    add(w, BPF_ALU | BPF_XOR | BPF_X, 0);
}

/* The address of n words at X + at, to A. X is in M[MEM_AT]. */
static void write_address(struct writer *w, uint32_t at, uint32_t n, uint32_t key)
{
    add(w, BPF_LD | BPF_IMM, key);
    for (uint32_t i = 0; i < n; i++) {
        add(w, BPF_ST, MEM_SUM);
        add(w, BPF_LDX | BPF_MEM, MEM_AT);
        add(w, BPF_LD | BPF_W | BPF_IND, at + 4 * i);
        add(w, BPF_LDX | BPF_MEM, MEM_SUM);
        add(w, BPF_ALU | BPF_XOR | BPF_X, 0);
        round_of(w, 0x85ebca6b);
    }
    round_of(w, 0xc2b2ae35);
}

/* Each address mixed by itself, then their sum: it knows no direction, and pairs of neighbours do not meet. */
static void write_pair(struct writer *w, uint32_t at, uint32_t n, uint32_t key)
{
    add(w, BPF_STX, MEM_AT);
    write_address(w, at, n, key);
    add(w, BPF_ST, MEM_FIRST);
    write_address(w, at + 4 * n, n, key);
    add(w, BPF_LDX | BPF_MEM, MEM_FIRST);
    add(w, BPF_ALU | BPF_ADD | BPF_X, 0);
    round_of(w, 0x85ebca6b);
    round_of(w, 0xc2b2ae35);
    add(w, BPF_RET | BPF_A, 0);
}

static void load(struct writer *w, uint32_t size, uint32_t at)
{
    add(w, BPF_LD | BPF_IND | size, at);
}

/* A is the protocol of what an error quotes. */
static void write_has_ports(struct writer *w, enum label yes, enum label no)
{
    jump_if(w, PROTO_TCP, yes, AHEAD);
    jump_if(w, PROTO_UDP, yes, AHEAD);
    jump_if(w, PROTO_SCTP, yes, no);
    here(w, yes);
}

/* An ICMP error goes where the flow is that it is about, whoever sent it, under the conditions of plugins/capture/share.c: whole, and with
 * the ports of what it quotes. X: the IP header, then that of the quoted packet. */
static void write_error4(struct writer *w)
{
    load(w, BPF_B, 9);
    jump_if(w, PROTO_ICMP, ICMP4, HASH4);
    here(w, ICMP4);
    add(w, BPF_STX, MEM_AT);
    load(w, BPF_H, 6);
    jump(w, BPF_JMP | BPF_JSET | BPF_K, 0x3fff, HASH4, AHEAD);
    load(w, BPF_B, 0);
    add(w, BPF_ALU | BPF_AND | BPF_K, 15);
    add(w, BPF_ALU | BPF_LSH | BPF_K, 2);
    jump(w, BPF_JMP | BPF_JGE | BPF_K, 20, AHEAD, HASH4);
    add(w, BPF_ST, MEM_HEADER);
    load(w, BPF_H, 2);
    add(w, BPF_LDX | BPF_MEM, MEM_HEADER);
    jump(w, BPF_JMP | BPF_JGE | BPF_X, 0, AHEAD, BACK4);
    add(w, BPF_ALU | BPF_SUB | BPF_X, 0);
    add(w, BPF_ST, MEM_LEFT);
    add(w, BPF_LDX | BPF_MEM, MEM_AT);
    jump(w, BPF_JMP | BPF_JGE | BPF_K, 32, AHEAD, HASH4);
    add(w, BPF_LD | BPF_MEM, MEM_HEADER);
    add(w, BPF_ALU | BPF_ADD | BPF_X, 0);
    add(w, BPF_ST, MEM_ICMP);
    add(w, BPF_MISC | BPF_TAX, 0);
    load(w, BPF_B, 0);
    jump_if(w, 3, ERROR4, AHEAD);
    jump_if(w, 4, ERROR4, AHEAD);
    jump_if(w, 5, ERROR4, AHEAD);
    jump_if(w, 11, ERROR4, AHEAD);
    jump_if(w, 12, ERROR4, BACK4);
    here(w, ERROR4);
    load(w, BPF_B, 8);
    jump(w, BPF_JMP | BPF_JGE | BPF_K, 0x45, AHEAD, BACK4);
    jump(w, BPF_JMP | BPF_JGE | BPF_K, 0x50, BACK4, AHEAD);
    add(w, BPF_ALU | BPF_AND | BPF_K, 15);
    add(w, BPF_ALU | BPF_LSH | BPF_K, 2);
    add(w, BPF_ALU | BPF_ADD | BPF_K, 8 + 4);
    add(w, BPF_MISC | BPF_TAX, 0);
    add(w, BPF_LD | BPF_MEM, MEM_LEFT);
    jump(w, BPF_JMP | BPF_JGE | BPF_X, 0, QUOTE4, BACK4);
    here(w, QUOTE4);
    add(w, BPF_LDX | BPF_MEM, MEM_ICMP);
    load(w, BPF_H, 8 + 6);
    jump(w, BPF_JMP | BPF_JSET | BPF_K, 0x1fff, BACK4, AHEAD);
    load(w, BPF_B, 8 + 9);
    write_has_ports(w, PORTS4, BACK4);
    forward(w, BPF_B, 8, 8);
    jump(w, BPF_JMP | BPF_JA, 0, HASH4, AHEAD);
    here(w, BACK4);
    add(w, BPF_LDX | BPF_MEM, MEM_AT);
}

static void write_error6(struct writer *w)
{
    load(w, BPF_B, 6);
    jump_if(w, PROTO_ICMPV6, ICMP6, HASH6);
    here(w, ICMP6);
    load(w, BPF_H, 4);
    jump(w, BPF_JMP | BPF_JGE | BPF_K, 52, AHEAD, HASH6);
    load(w, BPF_B, 40);
    jump_if(w, 0, HASH6, AHEAD);
    jump(w, BPF_JMP | BPF_JGT | BPF_K, 4, HASH6, AHEAD);
    load(w, BPF_B, 48);
    add(w, BPF_ALU | BPF_RSH | BPF_K, 4);
    jump_if(w, 6, AHEAD, HASH6);
    load(w, BPF_B, 48 + 6);
    write_has_ports(w, PORTS6, HASH6);
    forward(w, BPF_B, 48, 48);
}

void spread_write(struct spread *p, uint32_t key)
{
    struct writer w;

    memset(&w, 0, sizeof w);
    memset(p, 0, sizeof *p);
    w.p = p;
    write_begin(&w);
    for (uint32_t i = 0; i < LAYERS; i++)
        write_layer(&w, i);
    here(&w, layer(LAYERS, L_TYPE));
    jump_if(&w, ETH_P_IP, IP, AHEAD);
    jump_if(&w, ETH_P_IPV6, IP, NOT_IP);
    here(&w, IP);
    add(&w, BPF_LD | BPF_B | BPF_IND, 0);
    add(&w, BPF_ALU | BPF_RSH | BPF_K, 4);
    jump_if(&w, 4, IP4, AHEAD);
    jump_if(&w, 6, IP6, NOT_IP);
    here(&w, NOT_IP);
    add(&w, BPF_RET | BPF_K, 0);
    here(&w, IP4);
    write_error4(&w);
    here(&w, HASH4);
    write_pair(&w, 12, 1, key);
    here(&w, IP6);
    write_error6(&w);
    here(&w, HASH6);
    write_pair(&w, 8, 4, key);
    resolve(&w);
}
