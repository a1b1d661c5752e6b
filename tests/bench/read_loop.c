/* The floor of every replay: reads all packets of a capture with libpcap, looks at one byte of each, prints how many
 * there were. usage: read_loop FILE */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *head;
    const unsigned char *data;
    unsigned long packets = 0, sum = 0;
    pcap_t *capture;
    int rc;

    if (argc != 2)
        return 2;
    capture = pcap_open_offline(argv[1], why);
    if (!capture) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    while ((rc = pcap_next_ex(capture, &head, &data)) == 1) {
        packets++;
        sum += head->caplen ? data[head->caplen - 1] : 0;
    }
    pcap_close(capture);
    printf("%lu packets, %lu\n", packets, sum);
    return rc == PCAP_ERROR_BREAK ? 0 : 1;
}
